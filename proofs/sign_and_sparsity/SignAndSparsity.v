(** * Signs survive, zero absorbs, what is silent stays

    An LFP update multiplies: w + lr |w| g = w (1 + lr sgn(w) g). *)

From LFP Require Import sums.Sums sums.Network.

(** One step of plain LFP: d_w = |w| g, where g is the adjoint sum of the layer (the gradient, for LFP-0 and ReLU). *)
Definition update (w g lr : R) : R := w + lr * (Rabs w * g).

Theorem an_update_multiplies w g lr : update w g lr = w * (1 + lr * (sgn w * g)).
Proof. unfold update. rewrite <- sgn_mult. ring. Qed.

(** That is what a layer with the epsilon rule computes, any wiring, any e: d_w = |w| h with h = sum a s over all
    connections that carry the weight, and d_b = |b| sum s. *)
Theorem epsilon_feedback_multiplies {n m} (L : wiring n m) w b e a r k :
  let s j := quotient (r j) (stab (pre_activation L w b a j) e) in
  to_weight L w b (Epsilon e) a r k = Rabs (w k) * gradient_weight L a s k
  /\ to_bias L w b (Epsilon e) a r k = Rabs (b k) * gradient_bias L s k.
Proof.
  intros s. split.
  - unfold to_weight, gradient_weight. rewrite <- sgn_mult, Rmult_assoc. f_equal.
    rewrite <- sum_scale. apply sum_ext; intros j _. rewrite <- sum_scale. apply sum_ext; intros c _.
    rewrite connection_epsilon. fold (s j).
    replace (at_index (which L j c) k * (w (which L j c) * a (source L j c) * s j))
      with (at_index (which L j c) k * w (which L j c) * (a (source L j c) * s j)) by ring.
    rewrite at_index_rename. ring.
  - unfold to_bias, gradient_bias. rewrite <- sgn_mult, Rmult_assoc. f_equal.
    rewrite <- sum_scale. apply sum_ext; intros j _. rewrite bias_share_epsilon. fold (s j).
    rewrite <- Rmult_assoc, at_index_rename. ring.
Qed.

(** ** Zero absorbs *)

Theorem zero_absorbs g lr : update 0 g lr = 0.
Proof. unfold update. rewrite Rabs_R0. ring. Qed.

(** ** Signs survive while lr |g| < 1 *)

Lemma factor_is_positive w g lr : Rabs (lr * g) < 1 -> 0 < 1 + lr * (sgn w * g).
Proof. intros H. apply Rabs_def2 in H. destruct (sgn_cases w) as [[_ ->]|[_ ->]]; lra. Qed.

Theorem positive_stays_positive w g lr : Rabs (lr * g) < 1 -> 0 < w -> 0 < update w g lr.
Proof.
  intros H Hw. rewrite an_update_multiplies. apply Rmult_lt_0_compat; [assumption|].
  apply factor_is_positive, H.
Qed.

Theorem negative_stays_negative w g lr : Rabs (lr * g) < 1 -> w < 0 -> update w g lr < 0.
Proof.
  intros H Hw. rewrite an_update_multiplies. pose proof (factor_is_positive w g lr H) as Hf.
  apply Rmult_lt_gt_compat_neg_l with (r := w) in Hf; lra.
Qed.

(** Over any number of steps, each with its own rate and g: no weight changes its sign, none leaves 0 or reaches it. *)
Fixpoint trained (w : R) (g lr : vector) (steps : nat) : R :=
  match steps with
  | O => w
  | S t => update (trained w g lr t) (g t) (lr t)
  end.

Theorem signs_survive_training w g lr steps :
  (forall t, Rabs (lr t * g t) < 1) ->
  (0 < w -> 0 < trained w g lr steps)
  /\ (w < 0 -> trained w g lr steps < 0)
  /\ (w = 0 -> trained w g lr steps = 0).
Proof.
  intros H. induction steps as [|t [IHp [IHn IHz]]]; simpl; [auto|]. repeat split; intros Hw.
  - apply positive_stays_positive; auto.
  - apply negative_stays_negative; auto.
  - rewrite (IHz Hw). apply zero_absorbs.
Qed.

(** Zero stays zero at any rate at all. *)
Theorem zero_stays_zero g lr steps : trained 0 g lr steps = 0.
Proof. induction steps as [|t IH]; simpl; [reflexivity|]. rewrite IH. apply zero_absorbs. Qed.

(** The bound is sharp. A punished weight (sgn(w) g < 0) reaches 0 at lr |g| = 1, for good, and flips beyond. *)
Theorem at_the_bound_a_weight_dies w g lr : lr * (sgn w * g) = -1 -> update w g lr = 0.
Proof. intros H. rewrite an_update_multiplies, H. ring. Qed.

Theorem beyond_the_bound_a_weight_flips w g lr : w <> 0 -> lr * (sgn w * g) < -1 -> update w g lr * w < 0.
Proof.
  intros Hw H. rewrite an_update_multiplies.
  replace (w * (1 + lr * (sgn w * g)) * w) with (w ^ 2 * (1 + lr * (sgn w * g))) by ring.
  pose proof (square_pos w Hw) as Hsq.
  apply Rmult_lt_gt_compat_neg_l with (r := 1 + lr * (sgn w * g)) in Hsq; lra.
Qed.

(** Any other feedback d (another rule, momentum, Adam): the sign survives while |lr d| < |w|. *)
Theorem sign_survives_any_feedback w d lr : Rabs (lr * d) < Rabs w -> 0 < w * (w + lr * d).
Proof.
  intros H. unfold Rabs in H. destruct (Rcase_abs w), (Rcase_abs (lr * d)).
  - apply Ropp_lt_cancel. replace (- (w * (w + lr * d))) with (w * - (w + lr * d)) by ring.
    rewrite Ropp_0. apply Ropp_lt_cancel. rewrite Ropp_0.
    replace (- (w * - (w + lr * d))) with (- w * - (w + lr * d)) by ring.
    apply Rmult_lt_0_compat; lra.
  - replace (w * (w + lr * d)) with (- w * - (w + lr * d)) by ring. apply Rmult_lt_0_compat; lra.
  - apply Rmult_lt_0_compat; lra.
  - destruct (Req_dec w 0) as [E|E]; [lra|]. apply Rmult_lt_0_compat; lra.
Qed.

(** Other rules: d_w = sgn(w) sum over terms of W(w) h, h the term's adjoint sum. If each |W(w)| <= k |w|, the sign
    survives while lr k sum |h| < 1. k is 1 for epsilon, alpha-beta, z-plus and z-box, 1 + gamma for gamma, |w| for
    w-square; flat has none (and does move weights across 0). *)
Theorem sign_survives_other_rules (seen_of_w : list (R * R)) w lr k :
  w <> 0 -> (forall W h, In (W, h) seen_of_w -> Rabs W <= k * Rabs w) ->
  Rabs lr * (k * sum_list seen_of_w (fun Wh => Rabs (snd Wh))) < 1 ->
  0 < w * (w + lr * (sgn w * sum_list seen_of_w (fun Wh => fst Wh * snd Wh))).
Proof.
  intros Hw HW Hsmall. apply sign_survives_any_feedback. pose proof (Rabs_pos_lt w Hw) as Hpos.
  assert (Hsum : Rabs (sum_list seen_of_w (fun Wh => fst Wh * snd Wh))
                 <= k * sum_list seen_of_w (fun Wh => Rabs (snd Wh)) * Rabs w).
  { clear Hsmall. induction seen_of_w as [|[W h] rest IH]; simpl; [rewrite Rabs_R0; lra|].
    assert (H : Rabs W * Rabs h <= k * Rabs w * Rabs h)
      by (apply Rmult_le_compat_r; [apply Rabs_pos|apply (HW W h); left; reflexivity]).
    assert (IH' := IH (fun W' h' Hin => HW W' h' (or_intror Hin))).
    apply Rle_trans with (1 := Rabs_triang _ _). rewrite Rabs_mult. lra. }
  rewrite !Rabs_mult, sgn_abs, Rmult_1_l.
  apply Rle_lt_trans with (Rabs lr * (k * sum_list seen_of_w (fun Wh => Rabs (snd Wh)) * Rabs w)).
  - apply Rmult_le_compat_l; [apply Rabs_pos|assumption].
  - rewrite <- Rmult_assoc. rewrite <- (Rmult_1_l (Rabs w)) at 2. apply Rmult_lt_compat_r; assumption.
Qed.

Theorem what_the_rules_see_of_a_weight g w : 0 <= g ->
  Rabs (same w) <= 1 * Rabs w /\ Rabs (plus w) <= 1 * Rabs w /\ Rabs (minus w) <= 1 * Rabs w
  /\ Rabs (up g w) <= (1 + g) * Rabs w /\ Rabs (down g w) <= (1 + g) * Rabs w /\ Rabs (square w) <= Rabs w * Rabs w.
Proof.
  intros Hg. assert (Hgw : 0 <= g * Rabs w) by (apply Rmult_le_pos; [assumption|apply Rabs_pos]).
  assert (Hp : plus w = w \/ plus w = 0) by (unfold plus, Rmax; destruct Rle_dec; auto).
  assert (Hm : minus w = w \/ minus w = 0) by (unfold minus, Rmin; destruct Rle_dec; auto).
  assert (Hscaled : Rabs (w + g * w) = (1 + g) * Rabs w).
  { replace (w + g * w) with ((1 + g) * w) by ring. rewrite Rabs_mult, (Rabs_right (1 + g)) by lra. reflexivity. }
  pose proof (Rabs_pos w). unfold same, up, down, square. rewrite Rabs_mult.
  destruct Hp as [-> | ->], Hm as [-> | ->]; rewrite ?Hscaled, ?Rmult_0_r, ?Rplus_0_r, ?Rabs_R0; repeat split; lra.
Qed.

(** ** What is silent stays, for every rule of which it is true

    A term is blind to nothing if it sees 0 of an input of 0, or of a weight of 0. Flat and w-square see 1 of every
    input, flat sees 1 of every weight, z-box sees its bounds: for these the claims below are false (last section). *)

Definition sees_nothing_of_silent_inputs (rho : rule) : Prop :=
  forall G T, In G (groups rho) -> In T (terms G) -> forall i, on_input T i 0 = 0.
Definition sees_nothing_of_zero_weights (rho : rule) : Prop :=
  forall G T, In G (groups rho) -> In T (terms G) -> on_weight T 0 = 0.

Lemma plus_0 : plus 0 = 0. Proof. unfold plus, Rmax. destruct Rle_dec; reflexivity. Qed.
Lemma minus_0 : minus 0 = 0. Proof. unfold minus, Rmin. destruct Rle_dec; reflexivity. Qed.
Lemma up_0 g : up g 0 = 0. Proof. unfold up. rewrite plus_0. ring. Qed.
Lemma down_0 g : down g 0 = 0. Proof. unfold down. rewrite minus_0. ring. Qed.

(** Goes through the groups and terms of a rule, one by one. *)
Ltac each_term :=
  intros G T HG HT; simpl in HG;
  repeat (destruct HG as [<-|HG]); try contradiction; simpl in HT;
  repeat (destruct HT as [<-|HT]); try contradiction; simpl; intros;
  auto using plus_0, minus_0, up_0, down_0.

Theorem epsilon_gamma_alpha_beta_see_nothing_of_silent_inputs e g alpha beta :
  sees_nothing_of_silent_inputs (Epsilon e) /\ sees_nothing_of_silent_inputs (Gamma g e)
  /\ sees_nothing_of_silent_inputs (AlphaBeta alpha beta e) /\ sees_nothing_of_silent_inputs (ZPlus e).
Proof. repeat split; each_term. Qed.

Theorem all_rules_but_flat_see_nothing_of_zero_weights e g alpha beta low high :
  sees_nothing_of_zero_weights (Epsilon e) /\ sees_nothing_of_zero_weights (Gamma g e)
  /\ sees_nothing_of_zero_weights (AlphaBeta alpha beta e) /\ sees_nothing_of_zero_weights (ZPlus e)
  /\ sees_nothing_of_zero_weights (WSquare e) /\ sees_nothing_of_zero_weights (ZBox low high e).
Proof. repeat split; each_term. unfold square. ring. Qed.

(** Of a bias of 0 no rule sees anything, flat of no bias at all. *)
Definition sees_nothing_of_zero_biases (rho : rule) : Prop :=
  forall G T, In G (groups rho) -> In T (terms G) -> on_bias T 0 = 0.

Theorem all_rules_see_nothing_of_zero_biases e g alpha beta low high :
  sees_nothing_of_zero_biases (Epsilon e) /\ sees_nothing_of_zero_biases (Gamma g e)
  /\ sees_nothing_of_zero_biases (AlphaBeta alpha beta e) /\ sees_nothing_of_zero_biases (ZPlus e)
  /\ sees_nothing_of_zero_biases (WSquare e) /\ sees_nothing_of_zero_biases (Flat e)
  /\ sees_nothing_of_zero_biases (ZBox low high e).
Proof. repeat split; each_term; unfold square; rewrite ?plus_0, ?minus_0; ring. Qed.

Lemma sum_list_zero {A} (l : list A) f : (forall x, In x l -> f x = 0) -> sum_list l f = 0.
Proof.
  induction l as [|x l IH]; intros H; simpl; [reflexivity|].
  rewrite IH, H; [ring|left; reflexivity|]. intros y Hy. apply H. right. assumption.
Qed.

Section Layer.
  Context {n m : nat} (L : wiring n m) (w b : vector) (rho : rule) (a r : vector).

  (** A weight whose inputs are all silent gets no feedback. *)
  Theorem inactive_inputs_change_nothing k :
    sees_nothing_of_silent_inputs rho ->
    (forall j c, (j < m)%nat -> (c < fan L j)%nat -> which L j c = k -> a (source L j c) = 0) ->
    to_weight L w b rho a r k = 0.
  Proof.
    intros Hrule Hsilent. unfold to_weight. rewrite sum_zero; [ring|]. intros j Hj. apply sum_zero. intros c Hc.
    unfold at_index. destruct (Nat.eqb_spec (which L j c) k) as [Hk|_]; [|ring].
    unfold connection, group_connection. rewrite sum_list_zero; [ring|]. intros G HG. apply sum_list_zero. intros T HT.
    unfold seen. rewrite (Hsilent j c Hj Hc Hk), (Hrule G T HG HT). ring.
  Qed.

  (** A weight of 0 gets no feedback. *)
  Theorem zero_weights_get_no_feedback k :
    sees_nothing_of_zero_weights rho -> w k = 0 -> to_weight L w b rho a r k = 0.
  Proof.
    intros Hrule Hw. unfold to_weight. rewrite sum_zero; [ring|]. intros j Hj. apply sum_zero. intros c Hc.
    unfold at_index. destruct (Nat.eqb_spec (which L j c) k) as [Hk|_]; [|ring].
    unfold connection, group_connection. rewrite sum_list_zero; [ring|]. intros G HG. apply sum_list_zero. intros T HT.
    unfold seen. rewrite Hk, Hw, (Hrule G T HG HT). ring.
  Qed.

  (** A bias of 0 gets no feedback. *)
  Theorem zero_biases_get_no_feedback k :
    sees_nothing_of_zero_biases rho -> b k = 0 -> to_bias L w b rho a r k = 0.
  Proof.
    intros Hrule Hb. unfold to_bias. rewrite sum_zero; [ring|]. intros j Hj.
    unfold at_index. destruct (Nat.eqb_spec (which_bias L j) k) as [Hk|_]; [|ring].
    unfold bias_share, group_bias_share. rewrite sum_list_zero; [ring|]. intros G HG. apply sum_list_zero. intros T HT.
    unfold seen_bias. rewrite Hk, Hb, (Hrule G T HG HT). ring.
  Qed.

  (** A neuron without reward hands on nothing, whatever the rule ... *)
  Lemma no_reward_no_share G j : r j = 0 -> per_unit L w b rho a r G j = 0.
  Proof. intros H. unfold per_unit, part. rewrite H, Rmult_0_r. apply quotient_zero_reward. Qed.

  (** ... and weights and biases that belong to such neurons only get no feedback. *)
  Theorem unrewarded_outputs_change_no_weight k :
    (forall j c, (j < m)%nat -> (c < fan L j)%nat -> which L j c = k -> r j = 0) -> to_weight L w b rho a r k = 0.
  Proof.
    intros Hr. unfold to_weight. rewrite sum_zero; [ring|]. intros j Hj. apply sum_zero. intros c Hc.
    unfold at_index. destruct (Nat.eqb_spec (which L j c) k) as [Hk|_]; [|ring].
    unfold connection, group_connection. rewrite sum_list_zero; [ring|]. intros G HG. apply sum_list_zero. intros T HT.
    rewrite no_reward_no_share; [ring|]. apply (Hr j c); assumption.
  Qed.

  Theorem unrewarded_outputs_change_no_bias k :
    (forall j, (j < m)%nat -> which_bias L j = k -> r j = 0) -> to_bias L w b rho a r k = 0.
  Proof.
    intros Hr. unfold to_bias. rewrite sum_zero; [ring|]. intros j Hj.
    unfold at_index. destruct (Nat.eqb_spec (which_bias L j) k) as [Hk|_]; [|ring].
    unfold bias_share, group_bias_share. rewrite sum_list_zero; [ring|]. intros G HG. apply sum_list_zero. intros T HT.
    rewrite no_reward_no_share; [ring|]. apply Hr; assumption.
  Qed.
End Layer.

(** A weight of 0 in a batch, or an input silent in every sample: sums of zeros. *)
Corollary silent_in_every_sample
  {n m} (L : wiring n m) w b rho samples (x r : nat -> vector) k :
  (forall s, (s < samples)%nat -> to_weight L w b rho (x s) (r s) k = 0) ->
  sum samples (fun s => to_weight L w b rho (x s) (r s) k) = 0.
Proof. apply sum_zero. Qed.

(** ** Where it stops: flat

    One input of 0, weight 1, reward 1: flat hands it the whole reward (but the stabiliser's share) and moves the
    weight; and the same with weight 0 and an active input. *)

Lemma feedback_of_flat w a e : 0 < e ->
  to_weight (dense 1 1) (fun _ => w) (fun _ => 0) (Flat e) (fun _ => a) (fun _ => 1) 0 = sgn w * (1 / (1 + e)).
Proof.
  intros He. unfold to_weight, connection, group_connection, per_unit, part, denominator, seen, seen_bias, at_index.
  simpl. unfold one, nothing, everywhere, stab. destruct (sgn_cases (0 + 1 * 1 + 0 + 0)) as [[_ ->]|[H _]]; [|lra].
  rewrite quotient_div by lra. field. lra.
Qed.

Theorem flat_moves_weights_of_inactive_inputs e : 0 < e ->
  0 < to_weight (dense 1 1) (fun _ => 1) (fun _ => 0) (Flat e) (fun _ => 0) (fun _ => 1) 0.
Proof.
  intros He. rewrite feedback_of_flat by assumption. destruct (sgn_cases 1) as [[_ ->]|[H _]]; [|lra].
  rewrite Rmult_1_l. unfold Rdiv. rewrite Rmult_1_l. apply Rinv_0_lt_compat. lra.
Qed.

Theorem flat_moves_weights_of_zero e : 0 < e ->
  0 < to_weight (dense 1 1) (fun _ => 0) (fun _ => 0) (Flat e) (fun _ => 1) (fun _ => 1) 0.
Proof.
  intros He. rewrite feedback_of_flat by assumption. destruct (sgn_cases 0) as [[_ ->]|[H _]]; [|lra].
  rewrite Rmult_1_l. unfold Rdiv. rewrite Rmult_1_l. apply Rinv_0_lt_compat. lra.
Qed.
