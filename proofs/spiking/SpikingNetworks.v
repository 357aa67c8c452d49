(** * Networks with spiking layers

    A layer of leaky integrate-and-fire neurons on the current of any linear layer (dense, convolution), over T steps: a
    member of the network type, by the constructor for layers that couple (Network.v). So what is proved of networks
    holds with it: conservation by name, and LFP-0 as backpropagation with secants. Other layers run step by step
    (Each). What comes in and what goes out are T rows, one after the other. *)

From LFP Require Import sums.Sums sums.Network conservation.Conservation equivalence.Equivalence equivalence.Secant.
From LFP Require Import one_neuron.OneNeuron spiking.Spiking.

Section Layer.
  Context {n m : nat} (L : wiring n m) (weights biases : nat).
  Context (kind : reset) (T : nat) (beta th e : R) (surrogate : R -> R).

  (** Neuron j: its weights and bias among the parameters p, its inputs at step t. *)
  Definition weights_of (p : vector) (j : nat) : vector := fun c => p (which L j c).
  Definition bias_of (p : vector) (j : nat) : R := p (weights + which_bias L j)%nat.
  Definition inputs_of (a : vector) (j t : nat) : vector := fun c => row n a t (source L j c).
  Definition column (r : vector) (j t : nat) : R := row m r t j.

  Definition spikes (p a : vector) (t j : nat) : R :=
    spike kind (fan L j) (inputs_of a j) (weights_of p j) (bias_of p j) beta th t.
  Definition spiking_share (p a r : vector) (t j : nat) : R :=
    s kind (fan L j) T (inputs_of a j) (weights_of p j) (bias_of p j) beta th e (column r j) t.
  Definition spiking_slope (p a d : vector) (t j : nat) : R :=
    slope kind (fan L j) T (inputs_of a j) (weights_of p j) (bias_of p j) beta th surrogate (column d j) t.

  (** The account: what the membrane loses is its leak. *)
  Definition spiking_absorbs (p a r : vector) (why : cause) (t j : nat) : R :=
    let s_ := spiking_share p a r t j in
    match why with
    | Bias => bias_of p j * s_
    | Stabiliser => e * s_
    | EmptyGroup =>
        empty kind (fan L j) T (inputs_of a j) (weights_of p j) (bias_of p j) beta th e (column r j) t
    | Membrane => leak kind (fan L j) (inputs_of a j) (weights_of p j) (bias_of p j) beta th t * s_
    | _ => 0
    end.

  Definition lif : coupled (T * n) (T * m).
  Proof.
    refine (Coupling (T * n) (T * m) (weights + biases)
      (fun p a => in_rows m (spikes p a))
      (fun p a r => in_rows m (spiking_share p a r))
      (fun p a d => in_rows m (spiking_slope p a d))
      (fun p a s => in_rows n (fun t => gradient_input L p (row m s t)))
      (fun p a s => join weights (fun k => sum T (fun t => gradient_weight L (row n a t) (row m s t) k))
                                 (fun k => sum T (fun t => gradient_bias L (row m s t) k)))
      (fun p a r why => sum T (fun t => sum m (spiking_absorbs p a r why t))) _ _ _).
    - abstract (intros p a r r' Hr k Hk; destruct (row_and_place T m k Hk) as [t [j [Ht [Hj ->]]]];
        rewrite !in_rows_at by assumption; apply feedback_is_local; [|assumption];
        intros t' Ht'; apply Hr, row_below; assumption).
    - abstract (intros p a s s' Hs k Hk; destruct (row_and_place T n k Hk) as [t [i [Ht [Hi ->]]]];
        rewrite !in_rows_at by assumption; apply sum_ext; intros j Hj; apply sum_ext; intros c _;
        unfold row; rewrite Hs by (apply row_below; assumption); reflexivity).
    - abstract (intros p a s s' Hs k; unfold join; destruct (Nat.ltb k weights);
        apply sum_ext; intros t Ht; apply sum_ext; intros j Hj; unfold row;
        rewrite Hs by (apply row_below; assumption); reflexivity).
  Defined.

  (** A spiking layer with parameters p: weights, then biases. *)
  Definition LIF (p : vector) : net (T * n) (T * m) := Coupled lif p.

  (** In plain letters: inputs get sum_j w_ji x_i s_j, weights |w| sum_t x s, biases |b| sum_t s. *)
  Lemma spiking_feedback_plainly p a r t i : (t < T)%nat -> (i < n)%nat ->
    feedback (LIF p) a r (t * n + i)%nat
    = row n a t i * gradient_input L p (spiking_share p a r t) i.
  Proof.
    intros Ht Hi. simpl. unfold coupled_reward. simpl. rewrite in_rows_at by assumption. unfold row at 2. f_equal.
    unfold gradient_input. apply sum_ext; intros j Hj. apply sum_ext; intros c _. unfold row.
    rewrite in_rows_at by assumption. reflexivity.
  Qed.

  (** What the layer's inputs get at step t is what its neurons hand to them. *)
  Lemma inputs_get_what_neurons_hand_on p a r t : (t < T)%nat ->
    sum n (fun i => feedback (LIF p) a r (t * n + i)%nat)
    = sum m (fun j =>
        to_inputs kind (fan L j) T (inputs_of a j) (weights_of p j) (bias_of p j) beta th e (column r j) t).
  Proof.
    intros Ht. rewrite (sum_ext n _ (fun i => sum m (fun j => sum (fan L j) (fun c =>
      at_index (source L j c) i * (weights_of p j c * inputs_of a j t c * spiking_share p a r t j))))).
    - rewrite sum_swap. apply sum_ext; intros j _. rewrite sum_swap. unfold to_inputs. rewrite <- sum_scale_right.
      apply sum_ext; intros c Hc. apply sum_at_index, inside, Hc.
    - intros i Hi. rewrite spiking_feedback_plainly by assumption. unfold gradient_input. rewrite <- sum_scale.
      apply sum_ext; intros j _. rewrite <- sum_scale. apply sum_ext; intros c _. unfold inputs_of, weights_of.
      transitivity (at_index (source L j c) i * row n a t i * (p (which L j c) * spiking_share p a r t j)); [ring|].
      rewrite <- at_index_rename. ring.
  Qed.

  (** ** The account is complete: over all steps and neurons, inputs' reward + bias's + membrane's + stabiliser's share
      + empty groups = reward of the spikes. *)
  Theorem spiking_layers_are_balanced p : 0 <= e -> balanced lif p.
  Proof.
    intros He a r. unfold absorbed_in_all. simpl. rewrite !sum_rows.
    rewrite (sum_ext T (fun t => sum n (fun i => coupled_reward lif p a r (t * n + i)%nat))
               (fun t => sum n (fun i => feedback (LIF p) a r (t * n + i)%nat))) by reflexivity.
    rewrite (sum_ext T _ _ (fun t Ht => inputs_get_what_neurons_hand_on p a r t Ht)), <- !sum_plus.
    rewrite (sum_ext T _ (fun t => sum m (fun j =>
      to_inputs kind (fan L j) T (inputs_of a j) (weights_of p j) (bias_of p j) beta th e (column r j) t
      + spiking_absorbs p a r Bias t j + spiking_absorbs p a r Membrane t j + spiking_absorbs p a r Stabiliser t j
      + spiking_absorbs p a r EmptyGroup t j))).
    - rewrite sum_swap, (sum_swap T m). apply sum_ext; intros j _.
      exact (conservation_over_time kind (fan L j) T (inputs_of a j) (weights_of p j) (bias_of p j) beta th e
               (column r j) He).
    - intros t _. rewrite <- !sum_plus. apply sum_ext; intros j _. unfold spiking_absorbs. ring.
  Qed.

  (** ** Secants: with them for derivatives, LFP told r = spike d is backpropagation through time: the surrogate's place
      takes spike/(den + e), that of dv[t+1]/du[t] takes v[t+1]/(den[t] + e), neuron by neuron (Spiking.v). *)
  Theorem spiking_slopes_with_secants p a d t j : (S t < T)%nat -> (j < m)%nat ->
    let of f := f kind (fan L j) (inputs_of a j) (weights_of p j) (bias_of p j) beta th in
    let den_ := of den in
    let delta t := slopes (secant_coupling lif) p a d (t * m + j)%nat in
    delta t = quotient (of spike t) (den_ t + e) * column d j t
              + beta * quotient (of v (S t)) (den_ t + e) * delta (S t).
  Proof.
    intros Ht Hj of den_ delta. unfold delta, of, den_. simpl.
    change (m + t * m + j)%nat with (S t * m + j)%nat. rewrite !in_rows_at by assumption. unfold spiking_share.
    apply feedback_is_backpropagation_through_time_with_secants; [assumption|]. intros k Hk. unfold column, row.
    rewrite in_rows_at by assumption. reflexivity.
  Qed.
End Layer.

(** ** Two spiking layers, any network between them that runs step by step (pooling, a linear layer, an activation)

    So it goes on for more: Then and Each nest. *)
Section Between.
  Context {n k l m : nat} (L1 : wiring n k) (L2 : wiring l m) (between : net k l).
  Context (weights1 biases1 weights2 biases2 : nat).
  Context (kind : reset) (T : nat) (beta th e : R) (surrogate : R -> R) (p1 p2 : vector).
  Let below := LIF L1 weights1 biases1 kind T beta th e surrogate p1.
  Let above := LIF L2 weights2 biases2 kind T beta th e surrogate p2.
  Definition spiking_network : net (T * n) (T * m) := Then below (Then (Each T between) above).

  (** All rewards, over all steps: what inputs get and what is kept by name, membranes included, is what came. *)
  Theorem conservation_of_a_spiking_network a r : 0 <= e -> stabilised between ->
    sum (T * n) (feedback spiking_network a r) + kept_in_all spiking_network a r = sum (T * m) r.
  Proof.
    intros He Hbetween. apply conservation_of_a_network.
    repeat split; [apply spiking_layers_are_balanced, He|exact Hbetween|apply spiking_layers_are_balanced, He].
  Qed.

  (** Told r = spike d, every parameter gets |w| times backpropagation through time with secants, whatever e is in the
      spiking layers. *)
  Theorem lfp_of_a_spiking_network_is_backpropagation_with_secants a d r :
    (forall t, (t < T)%nat -> awake_at between (row k (forward below a) t)) ->
    (forall j, (j < T * m)%nat -> r j = forward spiking_network a j * d j) ->
    (forall q, parameter_feedback spiking_network a r q
               = Rabs (parameter spiking_network q) * gradient (with_secants spiking_network) a d q)
    /\ (forall i, (i < T * n)%nat ->
          feedback spiking_network a r i = a i * backprop (with_secants spiking_network) a d i).
  Proof.
    intros Hawake Hr. apply lfp_0_is_absolute_weight_times_backpropagation_with_secants; [|exact Hr].
    repeat split. exact Hawake.
  Qed.
End Between.

(** ** Sizes through a network

    Where contributions agree in sign, no layer hands on more than it got, size by size, so no network does: spiking
    layers, the epsilon rule elsewhere, any depth and nesting. [agreeing_at N a]:
    - linear layers: the epsilon rule; all w_ji a_i of a neuron, and its bias, have one sign;
    - spiking layers: the same at every step; of any layer that couples, that it hands on no more than it got;
    - sums of branches: the branches have one sign. *)
Definition sizes (n : nat) (r : vector) : R := sum n (fun i => Rabs (r i)).

Definition hands_on_at_most_what_it_got {n m} (C : coupled n m) (p a : vector) : Prop :=
  forall r, sizes n (coupled_reward C p a r) <= sizes m r.

Fixpoint agreeing_at {n m} (N : net n m) (a : vector) : Prop :=
  match N with
  | @Linear _ m L _ _ w b rho =>
      (exists e, 0 <= e /\ rho = Epsilon e) /\
      forall j c, (j < m)%nat -> (c < fan L j)%nat ->
        0 <= weighted L w a j c * b (which_bias L j)
        /\ forall k, (k < fan L j)%nat -> 0 <= weighted L w a j c * weighted L w a j k
  | Activation _ _ => True
  | MaxPool _ => True
  | Dropout _ _ => True
  | Coupled C p => hands_on_at_most_what_it_got C p a
  | @Each n _ T each => forall t, (t < T)%nat -> agreeing_at each (row n a t)
  | @Residual _ m body shortcut e =>
      0 <= e /\ (forall j, (j < m)%nat -> 0 <= forward body a j * forward shortcut a j)
      /\ agreeing_at body a /\ agreeing_at shortcut a
  | Then below above => agreeing_at below a /\ agreeing_at above (forward below a)
  end.

(** |z| |s| <= |r| for s = r / stab (z, e). *)
Lemma size_of_a_quotient z r e : 0 <= e -> Rabs z * Rabs (quotient r (stab z e)) <= Rabs r.
Proof.
  intros He. destruct (Req_dec z 0) as [->|Hz].
  - rewrite Rabs_R0, Rmult_0_l. apply Rabs_pos.
  - assert (Hpos : 0 < Rabs z) by (apply Rabs_pos_lt; assumption).
    rewrite quotient_div by (apply stab_nonzero; assumption). unfold Rdiv. rewrite Rabs_mult, Rabs_inv, stab_abs.
    rewrite Rabs_mult, sgn_abs, Rmult_1_l, (Rabs_right (Rabs z + e)) by lra.
    apply Rmult_le_reg_r with (Rabs z + e); [lra|].
    replace (Rabs z * (Rabs r * / (Rabs z + e)) * (Rabs z + e)) with (Rabs z * Rabs r) by (field; lra).
    pose proof (Rabs_pos r). nra.
Qed.

(** What several connections hand to the inputs has at most the connections' sizes. *)
Lemma sizes_of_inputs n m (fan_ : nat -> nat) (source_ : nat -> nat -> nat) (x : nat -> nat -> R) :
  (forall j c, (c < fan_ j)%nat -> (source_ j c < n)%nat) ->
  sizes n (fun i => sum m (fun j => sum (fan_ j) (fun c => at_index (source_ j c) i * x j c)))
  <= sum m (fun j => sum (fan_ j) (fun c => Rabs (x j c))).
Proof.
  intros Hinside. unfold sizes.
  apply Rle_trans with
    (sum n (fun i => sum m (fun j => sum (fan_ j) (fun c => at_index (source_ j c) i * Rabs (x j c))))).
  - apply sum_le; intros i _. apply Rle_trans with (1 := sum_abs _ _). apply sum_le; intros j _.
    apply Rle_trans with (1 := sum_abs _ _). apply sum_le; intros c _. rewrite Rabs_mult.
    replace (Rabs (at_index (source_ j c) i)) with (at_index (source_ j c) i); [apply Rle_refl|].
    unfold at_index. destruct Nat.eqb; rewrite Rabs_right; lra.
  - rewrite sum_swap. apply sum_le; intros j _. rewrite sum_swap. apply sum_le; intros c Hc.
    rewrite sum_at_index by (apply Hinside; assumption). apply Rle_refl.
Qed.

Theorem sizes_through_a_network {n m} (N : net n m) : forall a r,
  agreeing_at N a -> sizes n (feedback N a r) <= sizes m r.
Proof.
  induction N; intros a r H; simpl in H |- *.
  - destruct H as [[e [He ->]] H].
    apply Rle_trans with (1 := sizes_of_inputs n m (fan L) (source L) (connection L w b (Epsilon e) a r) (inside L)).
    apply sum_le; intros j Hj. set (s_ := quotient (r j) (stab (pre_activation L w b a j) e)).
    rewrite (sum_ext (fan L j) _ (fun c => Rabs (weighted L w a j c) * Rabs s_)).
    2: { intros c _. rewrite connection_epsilon. apply Rabs_mult. }
    rewrite sum_scale_right. apply Rle_trans with (2 := size_of_a_quotient (pre_activation L w b a j) (r j) e He).
    apply Rmult_le_compat_r; [apply Rabs_pos|].
    apply Rle_trans with (Rabs (sum (fan L j) (weighted L w a j))).
    + apply sum_of_one_sign. intros i k Hi Hk. apply H; assumption.
    + apply size_of_what_agrees. rewrite <- sum_scale_right. apply sum_nonneg; intros c Hc. apply H; assumption.
  - apply Rle_refl.
  - unfold sizes.
    apply Rle_trans with (sum n (fun i => sum m (fun j => at_index (winner W a j) i * Rabs (r j)))).
    + apply sum_le; intros i _. apply Rle_trans with (1 := sum_abs _ _). apply sum_le; intros j _. rewrite Rabs_mult.
      replace (Rabs (at_index (winner W a j) i)) with (at_index (winner W a j) i); [apply Rle_refl|].
      unfold at_index. destruct Nat.eqb; rewrite Rabs_right; lra.
    + rewrite sum_swap. apply sum_le; intros j Hj. rewrite sum_at_index by (apply winner_inside, Hj). apply Rle_refl.
  - unfold sizes. apply sum_le; intros i _. unfold if_kept. destruct (keep i); [apply Rle_refl|].
    rewrite Rabs_R0. apply Rabs_pos.
  - apply H.
  - unfold sizes in *. rewrite !sum_rows. apply sum_le; intros t Ht.
    rewrite (sum_ext n _ (fun i => Rabs (feedback N (row n a t) (row m r t) i)))
      by (intros i Hi; rewrite in_rows_at by assumption; reflexivity).
    apply (IHN (row n a t) (row m r t) (H t Ht)).
  - destruct H as [He [Hsign [H1 H2]]]. set (y := fun j => forward N1 a j + forward N2 a j).
    apply Rle_trans with (sizes m (branch_reward (forward N1 a) y r e) + sizes m (branch_reward (forward N2 a) y r e)).
    + apply Rle_trans with (sizes n (feedback N1 a (branch_reward (forward N1 a) y r e))
                            + sizes n (feedback N2 a (branch_reward (forward N2 a) y r e))).
      * unfold sizes. rewrite <- sum_plus. apply sum_le; intros i _. apply Rabs_triang.
      * apply Rplus_le_compat; [apply IHN1|apply IHN2]; assumption.
    + unfold sizes. rewrite <- sum_plus. apply sum_le; intros j Hj. unfold branch_reward. rewrite !Rabs_mult.
      rewrite <- Rmult_plus_distr_r.
      apply Rle_trans with (2 := size_of_a_quotient (y j) (r j) e He). apply Rmult_le_compat_r; [apply Rabs_pos|].
      specialize (Hsign j Hj). unfold y, Rabs.
      destruct (Rcase_abs (forward N1 a j)), (Rcase_abs (forward N2 a j)),
        (Rcase_abs (forward N1 a j + forward N2 a j)); nra.
  - destruct H as [H1 H2]. apply Rle_trans with (sizes k (feedback N2 (forward N1 a) r)); [apply IHN1|apply IHN2];
      assumption.
Qed.

(** A spiking layer is such where contributions agree at every step, the bias with them: sub-conservation composes. *)
Theorem spiking_layers_hand_on_at_most_what_they_got
  {n m} (L : wiring n m) weights biases kind T beta th e surrogate p a :
  0 <= beta <= 1 -> 0 <= e ->
  (forall t j c, (t < T)%nat -> (j < m)%nat -> (c < fan L j)%nat ->
     0 <= weighted L p (row n a t) j c * p (weights + which_bias L j)%nat
     /\ forall k, (k < fan L j)%nat -> 0 <= weighted L p (row n a t) j c * weighted L p (row n a t) j k) ->
  agreeing_at (LIF L weights biases kind T beta th e surrogate p) a.
Proof.
  intros Hbeta He H r. unfold sizes. rewrite !sum_rows.
  apply Rle_trans with (sum T (fun t => sum m (fun j => sum (fan L j) (fun c =>
    Rabs (weighted L p (row n a t) j c * spiking_share L weights kind T beta th e p a r t j))))).
  - apply sum_le; intros t Ht. apply Rle_trans with (sizes n (fun i => sum m (fun j => sum (fan L j) (fun c =>
      at_index (source L j c) i
      * (weighted L p (row n a t) j c * spiking_share L weights kind T beta th e p a r t j))))).
    + apply sum_le; intros i Hi. apply Req_le. f_equal.
      pose proof (spiking_feedback_plainly L weights biases kind T beta th e surrogate p a r t i Ht Hi) as E.
      simpl in E. rewrite E. unfold gradient_input. rewrite <- sum_scale.
      apply sum_ext; intros j _. rewrite <- sum_scale. apply sum_ext; intros c _. unfold weighted.
      transitivity (at_index (source L j c) i * row n a t i
                    * (p (which L j c) * spiking_share L weights kind T beta th e p a r t j)); [ring|].
      rewrite <- at_index_rename. ring.
    + apply sizes_of_inputs, inside.
  - rewrite sum_swap, (sum_swap T m). apply sum_le; intros j Hj.
    apply (sizes_over_time_where_the_bias_agrees kind (fan L j) T (inputs_of L a j) (weights_of L p j)
             (bias_of L weights p j) beta th e (column r j) Hbeta He).
    + intros t c k Ht Hc Hk. apply (H t j c); assumption.
    + intros t c Ht Hc. apply (H t j c); assumption.
Qed.
