(** * Conservation: no reward appears, none disappears

    Whatever reward comes to a neuron, a layer, a network: what is handed to its inputs and what its bias, its
    stabiliser, empty groups, masks and dropped units keep add up to it exactly. Each share is explicit (Network.v). *)

From LFP Require Import sums.Sums sums.Network.

Section OneLayer.
  Context {n m : nat} (L : wiring n m) (w b : vector) (rho : rule) (a r : vector).
  Context (e_nonneg : 0 <= epsilon rho).

  (** All that a group's terms see adds up to its denominator, so their shares add up to D s. *)
  Lemma shares_of_a_group (G : group) (j : nat) :
    sum (fan L j) (group_connection L w b rho a r G j) + group_bias_share L w b rho a r G j
    = denominator L w b a G j * per_unit L w b rho a r G j.
  Proof.
    unfold group_connection, group_bias_share, denominator.
    rewrite sum_sum_list, <- sum_list_plus, <- sum_list_scale_right.
    apply sum_list_ext; intros T. rewrite sum_scale_right. ring.
  Qed.

  (** One neuron, one group, any number of connections and terms:
      sum_i r_(i<-j) + bias's share + stabiliser's share + empty group = c mask(z_j) r_j. *)
  Theorem conservation_of_a_group (G : group) (j : nat) :
    sum (fan L j) (group_connection L w b rho a r G j)
    + group_bias_share L w b rho a r G j
    + group_stabiliser_share L w b rho a r G j
    + group_empty_share L w b a r G j
    = part L w b a r G j.
  Proof.
    rewrite shares_of_a_group. unfold group_stabiliser_share, group_empty_share, per_unit.
    destruct (Req_EM_T (denominator L w b a G j) 0) as [D0|D0].
    - rewrite D0. ring.
    - set (D := denominator L w b a G j) in *. set (p := part L w b a r G j).
      pose proof (stab_nonzero D _ e_nonneg D0) as Hstab.
      transitivity (quotient p (stab D (epsilon rho)) * stab D (epsilon rho)).
      + unfold stab. ring.
      + apply quotient_mult; assumption.
  Qed.

  (** One neuron, any rule:
      sum_i r_(i<-j) + bias's + stabiliser's + empty groups' + mask's share = r_j. *)
  Theorem conservation_of_a_neuron (j : nat) :
    sum (fan L j) (connection L w b rho a r j)
    + bias_share L w b rho a r j + stabiliser_share L w b rho a r j + empty_share L w b rho a r j
    + mask_share L w b rho a r j
    = r j.
  Proof.
    unfold connection, bias_share, stabiliser_share, empty_share, mask_share.
    rewrite sum_sum_list.
    assert (H : sum_list (groups rho) (fun G => part L w b a r G j)
              = sum_list (groups rho) (fun G => sum (fan L j) (fun c => group_connection L w b rho a r G j c))
              + sum_list (groups rho) (fun G => group_bias_share L w b rho a r G j)
              + sum_list (groups rho) (fun G => group_stabiliser_share L w b rho a r G j)
              + sum_list (groups rho) (fun G => group_empty_share L w b a r G j)).
    { rewrite <- !sum_list_plus. apply sum_list_ext; intros G. symmetry. apply conservation_of_a_group. }
    rewrite H. ring.
  Qed.

  (** What the inputs get is what the connections hand on: each connection has exactly one input. *)
  Lemma inputs_get_what_connections_hand_on :
    sum n (to_input L w b rho a r) = sum m (fun j => sum (fan L j) (connection L w b rho a r j)).
  Proof.
    unfold to_input. rewrite sum_swap. apply sum_ext; intros j _.
    rewrite sum_swap. apply sum_ext; intros c Hc.
    apply sum_at_index. apply inside; assumption.
  Qed.

  (** A layer of any size and wiring (dense, convolution, average pooling), any rule:
      sum_i r_i + all shares of all its neurons = sum_j r_j. *)
  Theorem conservation_of_a_layer :
    sum n (to_input L w b rho a r)
    + sum m (bias_share L w b rho a r) + sum m (stabiliser_share L w b rho a r) + sum m (empty_share L w b rho a r)
    + sum m (mask_share L w b rho a r)
    = sum m r.
  Proof.
    rewrite inputs_get_what_connections_hand_on, <- !sum_plus.
    apply sum_ext; intros j _. apply conservation_of_a_neuron.
  Qed.
End OneLayer.

(** ** Each rule

    The mask's share is what the rule as such does not hand out: (1 - sum over groups of c mask(z_j)) r_j. It is 0 for
    every rule but gamma, and there too unless z_j = 0. *)

Section EachRule.
  Context {n m : nat} (L : wiring n m) (w b a r : vector) (e : R) (e_nonneg : 0 <= e) (j : nat).

  Definition handed_bias_stabiliser_empty (rho : rule) : R :=
    sum (fan L j) (connection L w b rho a r j)
    + bias_share L w b rho a r j + stabiliser_share L w b rho a r j + empty_share L w b rho a r j.

  Lemma conservation_without_mask (rho : rule) :
    0 <= epsilon rho -> mask_share L w b rho a r j = 0 -> handed_bias_stabiliser_empty rho = r j.
  Proof.
    intros He Hmask. pose proof (conservation_of_a_neuron L w b rho a r He j) as H.
    rewrite Hmask in H. unfold handed_bias_stabiliser_empty. lra.
  Qed.

  Corollary conservation_epsilon : handed_bias_stabiliser_empty (Epsilon e) = r j.
  Proof. apply conservation_without_mask; [assumption|]. unfold mask_share, part; simpl; unfold everywhere; ring. Qed.

  Corollary conservation_alpha_beta (alpha beta : R) :
    alpha - beta = 1 -> handed_bias_stabiliser_empty (AlphaBeta alpha beta e) = r j.
  Proof.
    intros H. apply conservation_without_mask; [assumption|].
    unfold mask_share, part; simpl; unfold everywhere. replace alpha with (1 + beta) by lra. ring.
  Qed.

  Corollary conservation_z_plus : handed_bias_stabiliser_empty (ZPlus e) = r j.
  Proof. apply conservation_without_mask; [assumption|]. unfold mask_share, part; simpl; unfold everywhere; ring. Qed.

  Corollary conservation_w_square : handed_bias_stabiliser_empty (WSquare e) = r j.
  Proof. apply conservation_without_mask; [assumption|]. unfold mask_share, part; simpl; unfold everywhere; ring. Qed.

  Corollary conservation_flat : handed_bias_stabiliser_empty (Flat e) = r j.
  Proof. apply conservation_without_mask; [assumption|]. unfold mask_share, part; simpl; unfold everywhere; ring. Qed.

  Corollary conservation_z_box (low high : vector) : handed_bias_stabiliser_empty (ZBox low high e) = r j.
  Proof. apply conservation_without_mask; [assumption|]. unfold mask_share, part; simpl; unfold everywhere; ring. Qed.

  (** Gamma masks a neuron out at z = 0, where it belongs to neither group; elsewhere it conserves like the others. *)
  Corollary conservation_gamma (g : R) :
    pre_activation L w b a j <> 0 -> handed_bias_stabiliser_empty (Gamma g e) = r j.
  Proof.
    intros Hz. apply conservation_without_mask; [assumption|].
    unfold mask_share, part; simpl; unfold where_positive, where_negative.
    destruct (Rlt_dec 0 (pre_activation L w b a j)); destruct (Rlt_dec (pre_activation L w b a j) 0); lra.
  Qed.

  Corollary gamma_at_zero_hands_on_nothing (g : R) :
    pre_activation L w b a j = 0 ->
    mask_share L w b (Gamma g e) a r j = r j /\ forall c, connection L w b (Gamma g e) a r j c = 0.
  Proof.
    intros Hz. unfold mask_share, connection, group_connection, per_unit, part; simpl.
    unfold where_positive, where_negative.
    rewrite Hz. destruct (Rlt_dec 0 0); [lra|]. split; [ring|]. intros c.
    replace (1 * 0 * r j) with 0 by ring. rewrite !quotient_zero_reward. ring.
  Qed.

  (** All in one: what the mask keeps is 0 under every rule but gamma at z_j = 0, where it is all of the reward. *)
  Theorem the_mask_keeps_nothing_but_of_gamma_at_zero (alpha beta g : R) (low high : vector) :
    alpha - beta = 1 ->
    Forall (fun rho => mask_share L w b rho a r j = 0)
      [Epsilon e; AlphaBeta alpha beta e; ZPlus e; WSquare e; Flat e; ZBox low high e]
    /\ mask_share L w b (Gamma g e) a r j = if Req_EM_T (pre_activation L w b a j) 0 then r j else 0.
  Proof.
    intros Hab. split.
    - repeat constructor; unfold mask_share, part; simpl; unfold everywhere;
        replace alpha with (1 + beta) by lra; ring.
    - unfold mask_share, part; simpl; unfold where_positive, where_negative.
      destruct (Rlt_dec 0 (pre_activation L w b a j)), (Rlt_dec (pre_activation L w b a j) 0),
        (Req_EM_T (pre_activation L w b a j) 0); lra.
  Qed.

  (** Epsilon in plain letters, where z_j <> 0:
      sum_i a_i w_ji s_j + b_j s_j + e sgn(z_j) s_j = r_j with s_j = r_j / stab (z_j, e). *)
  Theorem conservation_epsilon_plainly :
    let z := pre_activation L w b a j in
    let s := quotient (r j) (stab z e) in
    z <> 0 ->
    sum (fan L j) (fun c => w (which L j c) * a (source L j c) * s) + b (which_bias L j) * s + e * sgn z * s = r j.
  Proof.
    intros z s Hz. rewrite sum_scale_right.
    transitivity (quotient (r j) (stab z e) * stab z e).
    - fold s. unfold stab, z, pre_activation, weighted. ring.
    - apply quotient_mult, stab_nonzero; assumption.
  Qed.
End EachRule.

(** ** Other layers *)

(** The winner of a max pool is inside its window, hence one of the layer's inputs. *)
Lemma best_inside a (P : nat -> Prop) : forall challengers leader,
  P leader -> Forall P challengers -> P (best a leader challengers).
Proof.
  induction challengers as [|i rest IH]; intros leader Hl Hr; simpl; [assumption|].
  inversion Hr; subst. apply IH; [|assumption]. destruct Rlt_dec; assumption.
Qed.

Lemma winner_inside {n m} (W : windows n m) a j : (j < m)%nat -> (winner W a j < n)%nat.
Proof.
  intros Hj. unfold winner. apply best_inside with (P := fun i => (i < n)%nat).
  - apply first_inside; assumption.
  - apply others_inside; assumption.
Qed.

(** The winner is a maximum of its window. *)
Lemma best_is_maximum a : forall challengers leader,
  a leader <= a (best a leader challengers)
  /\ Forall (fun i => a i <= a (best a leader challengers)) challengers.
Proof.
  induction challengers as [|i rest IH]; intros leader; simpl; [split; [lra|constructor]|].
  destruct (Rlt_dec (a leader) (a i)) as [H|H].
  - destruct (IH i) as [H1 H2]. split; [lra|]. constructor; assumption.
  - destruct (IH leader) as [H1 H2]. split; [assumption|]. constructor; [lra|assumption].
Qed.

(** And of several it is the first: every entry before it is smaller. *)
Theorem winner_is_the_first_maximum a : forall challengers leader,
  exists earlier later, leader :: challengers = earlier ++ best a leader challengers :: later
    /\ Forall (fun i => a i < a (best a leader challengers)) earlier
    /\ Forall (fun i => a i <= a (best a leader challengers)) later.
Proof.
  induction challengers as [|i rest IH]; intros leader; simpl; [exists [], []; repeat split; constructor|].
  destruct (Rlt_dec (a leader) (a i)) as [H|H].
  - destruct (IH i) as [p [q [E [Hp Hq]]]]. exists (leader :: p), q. rewrite E. repeat split; [|assumption].
    constructor; [|assumption]. pose proof (proj1 (best_is_maximum a rest i)). lra.
  - destruct (IH leader) as [p [q [E [Hp Hq]]]]. destruct p as [|x p]; injection E as E1 E2.
    + subst q. exists [], (i :: rest). rewrite <- E1 in *. repeat split; [constructor|]. constructor; [lra|exact Hq].
    + subst x. exists (leader :: i :: p), q. split; [simpl; do 2 f_equal; exact E2|split; [|exact Hq]].
      pose proof (Forall_inv Hp) as Hleader. simpl in Hleader.
      constructor; [exact Hleader|]. constructor; [lra|exact (Forall_inv_tail Hp)].
Qed.

Lemma conservation_of_max_pool {n m} (W : windows n m) (a r : vector) :
  sum n (fun i => sum m (fun j => at_index (winner W a j) i * r j)) = sum m r.
Proof.
  rewrite sum_swap. apply sum_ext; intros j Hj. apply sum_at_index, winner_inside; assumption.
Qed.

(** A sum of branches: both branches' rewards, the stabiliser's share and (at y = 0) the empty group make up r. *)
Lemma conservation_of_a_sum (u v r : vector) (e : R) (j : nat) :
  0 <= e ->
  let y j := u j + v j in
  branch_reward u y r e j + branch_reward v y r e j
  + kept_by_sum y r e Stabiliser j + kept_by_sum y r e EmptyGroup j = r j.
Proof.
  intros He y. unfold kept_by_sum, branch_reward.
  destruct (Req_EM_T (y j) 0) as [H|H].
  - transitivity (y j * quotient (r j) (stab (y j) e) + r j); [unfold y; ring|]. rewrite H. ring.
  - transitivity (quotient (r j) (stab (y j) e) * stab (y j) e).
    + unfold stab. unfold y. ring.
    + apply quotient_mult, stab_nonzero; assumption.
Qed.

(** ** Networks *)

(** Input reward plus everything kept = output reward: for every network of linear layers (any rule each), activations,
    max pooling, dropout and sums of branches, of any depth and nesting, whatever the input and the reward; also sample
    by sample or step by step, and with balanced layers that couple them (batch normalisation in training, spiking). *)
Theorem conservation_of_a_network {n m} (N : net n m) : stabilised N ->
  forall a r, sum n (feedback N a r) + kept_in_all N a r = sum m r.
Proof.
  unfold kept_in_all. induction N; intros Hs a r; simpl in Hs |- *.
  - rewrite <- (conservation_of_a_layer L w b rho a r Hs). ring.
  - ring.
  - rewrite conservation_of_max_pool. ring.
  - transitivity (sum n (fun i => if_kept (keep i) (r i)) + sum n (fun i => if_kept (negb (keep i)) (r i))); [ring|].
    rewrite <- sum_plus. apply sum_ext; intros i _. unfold if_kept. destruct (keep i); simpl; ring.
  - exact (Hs a r).
  - rewrite sum_in_rows, sum_rows, <- !sum_plus. apply sum_ext; intros t _.
    transitivity (sum m (row m r t)); [apply IHN, Hs|reflexivity].
  - destruct Hs as [He [Hb Hv]]. rewrite sum_plus.
    set (u := forward N1 a). set (v := forward N2 a).
    specialize (IHN1 Hb a (branch_reward u (fun j => u j + v j) r e)).
    specialize (IHN2 Hv a (branch_reward v (fun j => u j + v j) r e)).
    assert (Hsum : sum m (branch_reward u (fun j => u j + v j) r e) + sum m (branch_reward v (fun j => u j + v j) r e)
                   + sum m (kept_by_sum (fun j => u j + v j) r e Stabiliser)
                   + sum m (kept_by_sum (fun j => u j + v j) r e EmptyGroup) = sum m r).
    { rewrite <- !sum_plus. apply sum_ext; intros j _. apply conservation_of_a_sum; assumption. }
    unfold kept_by_sum at 1 4 5 6 7; rewrite !(sum_zero m (fun _ => 0)) by reflexivity. lra.
  - destruct Hs as [Hb Ha].
    specialize (IHN2 Ha (forward N1 a) r).
    specialize (IHN1 Hb a (feedback N2 (forward N1 a) r)). lra.
Qed.

(** The same for a list of layers, as in lfp.Sequential. *)
Lemma stabilised_list {n} (layers : list (net n n)) : Forall stabilised layers -> stabilised (Sequential layers).
Proof. intros H. induction H; simpl; auto. Qed.

Corollary conservation_of_a_list_of_layers {n} (layers : list (net n n)) : Forall stabilised layers ->
  forall a r, sum n (feedback (Sequential layers) a r) + kept_in_all (Sequential layers) a r = sum n r.
Proof. intros H. apply conservation_of_a_network, stabilised_list, H. Qed.

(** Conserving without loss: no bias, no stabiliser, no neuron at 0. Then every layer hands on all it gets. *)
Corollary without_bias_and_stabiliser_nothing_is_kept
  {n m} (L : wiring n m) (w b a r : vector) :
  (forall j, b (which_bias L j) = 0) -> (forall j, (j < m)%nat -> pre_activation L w b a j <> 0) ->
  sum n (to_input L w b (Epsilon 0) a r) = sum m r.
Proof.
  intros Hb Hz. rewrite inputs_get_what_connections_hand_on. apply sum_ext; intros j Hj.
  pose proof (conservation_epsilon_plainly L w b a r 0 (Rle_refl 0) j (Hz j Hj)) as H. simpl in H.
  rewrite Hb in H. rewrite <- H. rewrite !Rmult_0_l, !Rplus_0_r.
  apply sum_ext; intros c _. apply connection_epsilon.
Qed.
