(** * Equivalence: for ReLU-like networks LFP-0 is |parameter| times the gradient

    Invariant of the two passes: the reward of a value is the value times its gradient, r = y dJ/dy. A linear layer
    keeps it (s_j = r_j / z_j = dJ/dz_j), and so does an activation whose secant is its derivative, phi(z) = phi'(z) z.
    Backpropagation is defined by its recursion in Network.v; the end of this file proves that for one neuron the
    recursion is the derivative, and Derivative.v that for a whole network it is. *)

From LFP Require Import sums.Sums sums.Network.

(** What LFP-0 needs of a network N at an input a to equal the gradient:
    - linear layers: the epsilon rule with e = 0, and no neuron at z_j = 0 (unless nothing flows in there: no
      bias, and each w_ji a_i is 0);
    - activations: the secant is the derivative at the values that occur (ReLU, leaky ReLU, ..., see below);
    - sums of branches: e = 0, and no sum of 0 out of branches that are not 0;
    - layers that couple samples or steps: where r is output times gradient, the rewards per unit are the gradients'. *)
Fixpoint homogeneous_at {n m} (N : net n m) (a : vector) : Prop :=
  match N with
  | @Linear n m L _ _ w b rho =>
      rho = Epsilon 0 /\
      forall j, (j < m)%nat ->
        pre_activation L w b a j <> 0
        \/ b (which_bias L j) = 0 /\ forall c, (c < fan L j)%nat -> weighted L w a j c = 0
  | @Activation n phi derivative => forall i, (i < n)%nat -> phi (a i) = derivative (a i) * a i
  | MaxPool _ => True
  | Dropout _ _ => True
  | @Coupled n m C p => forall d r, (forall j, (j < m)%nat -> r j = outputs C p a j * d j) ->
      forall j, (j < m)%nat -> shares C p a r j = slopes C p a d j
  | @Each n m T each => forall t, (t < T)%nat -> homogeneous_at each (row n a t)
  | @Residual _ m body shortcut e =>
      e = 0
      /\ (forall j, (j < m)%nat -> forward body a j + forward shortcut a j <> 0 \/ forward body a j = 0)
      /\ homogeneous_at body a /\ homogeneous_at shortcut a
  | Then below above => homogeneous_at below a /\ homogeneous_at above (forward below a)
  end.

(** y r / y is r, also at y = 0 if what it is multiplied by is 0 there. *)
Lemma quotient_of_product x y d : y <> 0 \/ x = 0 -> x * quotient (y * d) (stab y 0) = x * d.
Proof.
  rewrite stab_zero. intros [H|H]; [|rewrite H; ring].
  rewrite quotient_div by assumption. field. assumption.
Qed.

Section LinearLayer.
  Context {n m : nat} (L : wiring n m) (w b a d r : vector).
  Context (reward_is_value_times_gradient : forall j, (j < m)%nat -> r j = pre_activation L w b a j * d j).
  Context (awake : forall j, (j < m)%nat ->
    pre_activation L w b a j <> 0
    \/ b (which_bias L j) = 0 /\ forall c, (c < fan L j)%nat -> weighted L w a j c = 0).

  Lemma connection_is_gradient j c : (j < m)%nat -> (c < fan L j)%nat ->
    connection L w b (Epsilon 0) a r j c = w (which L j c) * a (source L j c) * d j.
  Proof.
    intros Hj Hc. rewrite connection_epsilon, (reward_is_value_times_gradient j Hj).
    apply quotient_of_product. destruct (awake j Hj) as [H|[_ H]]; [left; assumption|right].
    exact (H c Hc).
  Qed.

  Lemma bias_share_is_gradient j : (j < m)%nat ->
    bias_share L w b (Epsilon 0) a r j = b (which_bias L j) * d j.
  Proof.
    intros Hj. rewrite bias_share_epsilon, (reward_is_value_times_gradient j Hj).
    apply quotient_of_product. destruct (awake j Hj) as [H|[H _]]; [left|right]; assumption.
  Qed.

  (** The input's reward is the input times its gradient: the invariant, one layer further down. *)
  Lemma input_reward_is_input_times_gradient i :
    to_input L w b (Epsilon 0) a r i = a i * gradient_input L w d i.
  Proof.
    unfold to_input, gradient_input. rewrite <- sum_scale. apply sum_ext; intros j Hj.
    rewrite <- sum_scale. apply sum_ext; intros c Hc. rewrite connection_is_gradient by assumption.
    replace (at_index (source L j c) i * (w (which L j c) * a (source L j c) * d j))
      with (at_index (source L j c) i * a (source L j c) * (w (which L j c) * d j)) by ring.
    rewrite at_index_rename. ring.
  Qed.

  (** d_w = |w| dJ/dw, also where many connections share a weight. *)
  Lemma weight_feedback_is_gradient k :
    to_weight L w b (Epsilon 0) a r k = Rabs (w k) * gradient_weight L a d k.
  Proof.
    unfold to_weight, gradient_weight. rewrite <- sgn_mult, Rmult_assoc. f_equal.
    rewrite <- sum_scale. apply sum_ext; intros j Hj.
    rewrite <- sum_scale. apply sum_ext; intros c Hc. rewrite connection_is_gradient by assumption.
    replace (at_index (which L j c) k * (w (which L j c) * a (source L j c) * d j))
      with (at_index (which L j c) k * w (which L j c) * (a (source L j c) * d j)) by ring.
    rewrite at_index_rename. ring.
  Qed.

  Lemma bias_feedback_is_gradient k :
    to_bias L w b (Epsilon 0) a r k = Rabs (b k) * gradient_bias L d k.
  Proof.
    unfold to_bias, gradient_bias. rewrite <- sgn_mult, Rmult_assoc. f_equal.
    rewrite <- sum_scale. apply sum_ext; intros j Hj. rewrite bias_share_is_gradient by assumption.
    rewrite <- Rmult_assoc, at_index_rename. ring.
  Qed.
End LinearLayer.

Lemma join_product p f g f' g' k : join p f g k * join p f' g' k = join p (fun k => f k * f' k) (fun k => g k * g' k) k.
Proof. unfold join. destruct (k <? p)%nat; reflexivity. Qed.

Lemma join_ext p f g f' g' k : (forall k, f k = f' k) -> (forall k, g k = g' k) -> join p f g k = join p f' g' k.
Proof. intros Hf Hg. unfold join. destruct (k <? p)%nat; auto. Qed.

Lemma abs_join p f g k : Rabs (join p f g k) = join p (fun k => Rabs (f k)) (fun k => Rabs (g k)) k.
Proof. unfold join. destruct (k <? p)%nat; reflexivity. Qed.

(** LFP-0 is |parameter| times the gradient, for networks of any depth and nesting: if the reward of the output is the
    output times its gradient, r_o = z_o dJ/dz_o, then d_w = |w| dJ/dw for every weight and bias, and the input's reward
    is the input times its gradient (LRP-0 is input times gradient). *)
Theorem lfp_0_is_absolute_weight_times_gradient {n m} (N : net n m) : forall a d r,
  homogeneous_at N a -> (forall j, (j < m)%nat -> r j = forward N a j * d j) ->
  (forall k, parameter_feedback N a r k = Rabs (parameter N k) * gradient N a d k)
  /\ (forall i, (i < n)%nat -> feedback N a r i = a i * backprop N a d i).
Proof.
  induction N; intros a d r Hom Hr; simpl in Hom, Hr |- *.
  - destruct Hom as [-> Hawake]. split.
    + intros k. rewrite abs_join, join_product.
      apply join_ext; intros k'; [apply weight_feedback_is_gradient|apply bias_feedback_is_gradient]; assumption.
    + intros i _. apply input_reward_is_input_times_gradient; assumption.
  - split; [intros k; ring|]. intros i Hi. rewrite Hr, Hom by assumption. ring.
  - split; [intros k; ring|]. intros i Hi. rewrite <- sum_scale. apply sum_ext; intros j Hj.
    rewrite Hr by assumption. rewrite <- Rmult_assoc, at_index_rename. ring.
  - split; [intros k; ring|]. intros i Hi. rewrite Hr by assumption. unfold if_kept. destruct (keep i); ring.
  - pose proof (Hom d r Hr) as Hs. split.
    + intros k. unfold coupled_feedback. f_equal. apply local_by_parameter, Hs.
    + intros i Hi. unfold coupled_reward. f_equal. apply local_by_input; assumption.
  - assert (Hrow : forall t j, (t < T)%nat -> (j < m)%nat ->
      row m r t j = forward N (row n a t) j * row m d t j).
    { intros t j Ht Hj. unfold row at 1 3. rewrite Hr, in_rows_at by (try apply row_below; assumption). reflexivity. }
    split.
    + intros k. rewrite <- sum_scale. apply sum_ext; intros t Ht.
      apply (IHN (row n a t) (row m d t) (row m r t) (Hom t Ht)). intros j Hj. apply Hrow; assumption.
    + intros i Hi. destruct (row_and_place T n i Hi) as [t [i' [Ht [Hi' ->]]]]. rewrite !in_rows_at by assumption.
      apply (IHN (row n a t) (row m d t) (row m r t) (Hom t Ht)); [|assumption]. intros j Hj. apply Hrow; assumption.
  - destruct Hom as [-> [Hsum [Hbody Hshortcut]]].
    destruct (IHN1 a d (branch_reward (forward N1 a) (fun j => forward N1 a j + forward N2 a j) r 0)) as [P1 I1];
      [assumption| |].
    { intros j Hj. unfold branch_reward. rewrite Hr by assumption. apply quotient_of_product. apply Hsum; assumption. }
    destruct (IHN2 a d (branch_reward (forward N2 a) (fun j => forward N1 a j + forward N2 a j) r 0)) as [P2 I2];
      [assumption| |].
    { intros j Hj. unfold branch_reward. rewrite Hr by assumption. apply quotient_of_product.
      destruct (Hsum j Hj); [left; assumption|].
      destruct (Req_dec (forward N2 a j) 0); [right; assumption|left; lra]. }
    split.
    + intros k. rewrite abs_join, join_product. apply join_ext; assumption.
    + intros i Hi. rewrite I1, I2 by assumption. ring.
  - destruct Hom as [Hbelow Habove].
    destruct (IHN2 (forward N1 a) d r Habove Hr) as [P2 I2].
    destruct (IHN1 a (backprop N2 (forward N1 a) d) (feedback N2 (forward N1 a) r) Hbelow I2) as [P1 I1].
    split; [|assumption]. intros p. rewrite abs_join, join_product. apply join_ext; assumption.
Qed.

(** The same for a batch: feedback and gradient are sums over its samples. *)
Corollary lfp_0_is_absolute_weight_times_gradient_in_a_batch
  {n m} (N : net n m) (samples : nat) (x d r : nat -> vector) :
  (forall s, (s < samples)%nat ->
     homogeneous_at N (x s) /\ forall j, (j < m)%nat -> r s j = forward N (x s) j * d s j) ->
  forall k, sum samples (fun s => parameter_feedback N (x s) (r s) k)
          = Rabs (parameter N k) * sum samples (fun s => gradient N (x s) (d s) k).
Proof.
  intros H k. rewrite <- sum_scale. apply sum_ext; intros s Hs. destruct (H s Hs) as [Hom Hr].
  apply (lfp_0_is_absolute_weight_times_gradient N (x s) (d s) (r s) Hom Hr).
Qed.

(** ** Which activations are homogeneous, and that their derivative is the derivative *)

(** Slope p right of 0 and q left of it: identity (1, 1), ReLU (1, 0), leaky ReLU (1, q), their negatives (-p, -q) and
    reflections (phi(-z): slopes -q and -p). As in the code, at 0 the derivative is the left one. *)
Definition two_slopes (p q z : R) : R := if Rlt_dec 0 z then p * z else q * z.
Definition two_slopes_derivative (p q z : R) : R := if Rlt_dec 0 z then p else q.

Lemma two_slopes_are_homogeneous p q z : two_slopes p q z = two_slopes_derivative p q z * z.
Proof. unfold two_slopes, two_slopes_derivative. destruct Rlt_dec; reflexivity. Qed.

Lemma relu_is_two_slopes z : two_slopes 1 0 z = plus z.
Proof.
  unfold two_slopes, plus, Rmax. destruct Rlt_dec; destruct Rle_dec; lra.
Qed.

(** They are all there are: phi(c z) = c phi(z) for every c > 0 makes phi one of them. *)
Theorem positively_homogeneous_functions_have_two_slopes phi :
  (forall c z, 0 < c -> phi (c * z) = c * phi z) -> forall z, phi z = two_slopes (phi 1) (- phi (-1)) z.
Proof.
  intros H z. unfold two_slopes. destruct (Rlt_dec 0 z) as [Hz|Hz].
  - rewrite <- (Rmult_1_r z) at 1. rewrite H by assumption. ring.
  - destruct (Req_dec z 0) as [->|Hne].
    + pose proof (H 2 0 ltac:(lra)) as H0. rewrite Rmult_0_r in H0. lra.
    + replace z with (- z * -1) at 1 by ring. rewrite H by lra. ring.
Qed.

(** A function that agrees with another one near z has the same derivative at z. *)
Lemma derivable_pt_lim_near f g z l delta :
  0 < delta -> (forall x, Rabs (x - z) < delta -> f x = g x) -> derivable_pt_lim f z l -> derivable_pt_lim g z l.
Proof.
  intros Hdelta Hnear Hf eps Heps. destruct (Hf eps Heps) as [[d Hd] H]. simpl in H.
  assert (Hmin : 0 < Rmin d delta) by (apply Rmin_glb_lt; assumption).
  exists (mkposreal _ Hmin). intros h Hh Hlt. simpl in Hlt.
  pose proof (Rmin_l d delta). pose proof (Rmin_r d delta).
  rewrite <- !Hnear; [apply H; [assumption|lra]| |].
  - rewrite Rminus_diag_eq, Rabs_R0 by reflexivity. assumption.
  - replace (z + h - z) with h by ring. lra.
Qed.

Lemma derivable_pt_lim_slope p z : derivable_pt_lim (fun x => p * x) z p.
Proof.
  pose proof (derivable_pt_lim_scal id p z 1 (derivable_pt_lim_id z)) as H.
  rewrite Rmult_1_r in H. exact H.
Qed.

Theorem two_slopes_derivative_is_the_derivative p q z :
  z <> 0 -> derivable_pt_lim (two_slopes p q) z (two_slopes_derivative p q z).
Proof.
  intros Hz. apply Rabs_pos_lt in Hz as Hpos. unfold two_slopes_derivative. destruct (Rlt_dec 0 z) as [H|H].
  - apply derivable_pt_lim_near with (f := fun x => p * x) (delta := Rabs z); [assumption| |].
    2: apply derivable_pt_lim_slope.
    intros x Hx. unfold two_slopes. destruct Rlt_dec; [reflexivity|].
    rewrite (Rabs_right z) in Hx by lra. apply Rabs_def2 in Hx. lra.
  - apply derivable_pt_lim_near with (f := fun x => q * x) (delta := Rabs z); [assumption| |].
    2: apply derivable_pt_lim_slope.
    intros x Hx. unfold two_slopes. destruct Rlt_dec; [|reflexivity].
    rewrite (Rabs_left z) in Hx by lra. apply Rabs_def2 in Hx. lra.
Qed.

(** ** One neuron: the recursion is the derivative

    y = phi (sum_i w_i a_i + b). Move one weight (one input, the bias) by t: the derivative at t = 0 is
    phi'(z) a_k (phi'(z) w_k, phi'(z)), which is what backpropagation computes. phi need only be differentiable at z. *)

Definition moved (v : vector) (k : nat) (t : R) : vector := fun i => v i + t * at_index k i.
Definition neuron (phi : R -> R) (n : nat) (w a : vector) (b : R) : R := phi (sum n (fun i => w i * a i) + b).

Lemma moved_weight_sum n w a k t : (k < n)%nat ->
  sum n (fun i => moved w k t i * a i) = sum n (fun i => w i * a i) + t * a k.
Proof.
  intros Hk. unfold moved. rewrite <- (sum_at_index n k (t * a k) Hk), <- sum_plus. apply sum_ext; intros i _.
  replace (at_index k i * (t * a k)) with (t * (at_index k i * a k)) by ring. rewrite at_index_rename. ring.
Qed.

(** phi (z + t c) has derivative phi'(z) c at t = 0. *)
Lemma derivative_along phi z l c : derivable_pt_lim phi z l -> derivable_pt_lim (fun t => phi (z + t * c)) 0 (l * c).
Proof.
  intros H. apply (derivable_pt_lim_comp (fun t => z + t * c) phi).
  - replace (derivable_pt_lim (fun t => z + t * c) 0 c) with (derivable_pt_lim (fun t => z + t * c) 0 (0 + c * 1))
      by (f_equal; ring).
    apply derivable_pt_lim_near with (f := (fct_cte z + mult_real_fct c id)%F) (delta := 1); [lra| |].
    + intros t _. unfold plus_fct, fct_cte, mult_real_fct, id. ring.
    + apply derivable_pt_lim_plus; [apply derivable_pt_lim_const|apply derivable_pt_lim_scal, derivable_pt_lim_id].
  - replace (z + 0 * c) with z by ring. assumption.
Qed.

Section Neuron.
  Context (phi : R -> R) (slope : R) (n : nat) (w a : vector) (b : R).
  Let z : R := sum n (fun i => w i * a i) + b.
  Context (differentiable : derivable_pt_lim phi z slope).

  Theorem derivative_of_a_neuron_in_a_weight k : (k < n)%nat ->
    derivable_pt_lim (fun t => neuron phi n (moved w k t) a b) 0 (slope * a k).
  Proof.
    intros Hk. apply derivable_pt_lim_near with (f := fun t => phi (z + t * a k)) (delta := 1); [lra| |].
    - intros t _. unfold neuron, z. rewrite moved_weight_sum by assumption. f_equal. ring.
    - apply derivative_along, differentiable.
  Qed.

  Theorem derivative_of_a_neuron_in_an_input k : (k < n)%nat ->
    derivable_pt_lim (fun t => neuron phi n w (moved a k t) b) 0 (slope * w k).
  Proof.
    intros Hk. apply derivable_pt_lim_near with (f := fun t => phi (z + t * w k)) (delta := 1); [lra| |].
    - intros t _. unfold neuron, z. rewrite (sum_ext n (fun i => w i * moved a k t i) (fun i => moved a k t i * w i))
        by (intros; ring). rewrite moved_weight_sum by assumption.
      rewrite (sum_ext n (fun i => a i * w i) (fun i => w i * a i)) by (intros; ring). f_equal. ring.
    - apply derivative_along, differentiable.
  Qed.

  Theorem derivative_of_a_neuron_in_its_bias : derivable_pt_lim (fun t => neuron phi n w a (b + t)) 0 slope.
  Proof.
    apply derivable_pt_lim_near with (f := fun t => phi (z + t * 1)) (delta := 1); [lra| |].
    - intros t _. unfold neuron, z. f_equal. ring.
    - rewrite <- (Rmult_1_r slope). apply derivative_along, differentiable.
  Qed.
End Neuron.

(** For a ReLU-like neuron with z <> 0 all three hold. *)
Corollary derivative_of_a_relu_like_neuron p q n w a b k :
  let z := sum n (fun i => w i * a i) + b in
  (k < n)%nat -> z <> 0 ->
  derivable_pt_lim (fun t => neuron (two_slopes p q) n (moved w k t) a b) 0 (two_slopes_derivative p q z * a k).
Proof.
  intros z Hk Hz. apply derivative_of_a_neuron_in_a_weight; [|assumption].
  apply two_slopes_derivative_is_the_derivative, Hz.
Qed.
