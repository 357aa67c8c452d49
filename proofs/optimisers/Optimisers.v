(** * What of ascent survives momentum, Adam, weight decay, minibatches (lfp_ref/optim.py)

    d_k = |w_k| g_k: LFP-0's direction in a ReLU-like network (Equivalence.v), g the gradient of an objective to be
    maximised. What plain steps owe to it is in ascent/Ascent.v. *)

From LFP Require Import sums.Sums ascent.Ascent.

(** ** Weight decay: the objective less an l1 penalty

    SGD's v = d - decay w is |w| times the gradient of J - decay sum |w|, wherever w is not 0 (and 0 where it is). So all
    that holds of LFP-0 and J holds with weight decay, of that objective. *)

Theorem weight_decay_is_an_l1_penalty w g decay : Rabs w * g - decay * w = Rabs w * (g - decay * sgn w).
Proof.
  rewrite <- sgn_mult.
  replace (sgn w * w * (g - decay * sgn w)) with (sgn w * w * g - decay * (sgn w * sgn w) * w) by ring.
  rewrite sgn_sq. ring.
Qed.

Theorem weight_decay_is_uphill_with_the_penalty P (w g : vector) decay :
  0 <= sum P (fun k => (Rabs (w k) * g k - decay * w k) * (g k - decay * sgn (w k))).
Proof.
  apply sum_nonneg. intros k _. rewrite weight_decay_is_an_l1_penalty.
  replace (Rabs (w k) * (g k - decay * sgn (w k)) * (g k - decay * sgn (w k)))
    with (Rabs (w k) * (g k - decay * sgn (w k)) ^ 2) by ring.
  apply Rmult_le_pos; [apply Rabs_pos|apply square_nonneg].
Qed.

(** Of J itself it need not be: at J's maximum, J = -(1 - w)^2 / 2 and w = 1, a step with decay 1/10 and lr = 1 ends at
    9/10, and J falls. *)
Theorem witness_weight_decay :
  let J w := - (1 - w) ^ 2 / 2 in
  let w' := 1 + 1 * (Rabs 1 * (1 - 1) - 1 / 10 * 1) in
  w' = 9 / 10 /\ J w' - J 1 = -1 / 200.
Proof. cbv zeta. rewrite Rabs_R1. split; field. Qed.

(** ** Minibatches: uphill on average

    [member b s]: how often sample s is in minibatch b. If every sample is in as many minibatches as any other, the mean
    over them of <d_b, g> is [often] times that of the batch, >= 0, whatever a single minibatch does. *)

Section Minibatches.
  Context (P samples minibatches : nat) (w : vector) (grad : nat -> vector) (member : nat -> nat -> R) (often : R).
  Context (each_as_often : forall s, (s < samples)%nat -> sum minibatches (fun b => member b s) = often).
  Definition whole (k : nat) : R := sum samples (fun s => grad s k).
  Definition direction_of (b k : nat) : R := Rabs (w k) * sum samples (fun s => member b s * grad s k).

  Theorem minibatches_climb_on_average :
    sum minibatches (fun b => sum P (fun k => direction_of b k * whole k)) = often * rise P w whole.
  Proof.
    rewrite sum_swap. unfold rise. rewrite <- sum_scale. apply sum_ext; intros k _. rewrite sum_scale_right.
    unfold direction_of. rewrite sum_scale, sum_swap.
    rewrite (sum_ext samples _ (fun s => often * grad s k))
      by (intros s Hs; rewrite sum_scale_right, each_as_often by exact Hs; reflexivity).
    rewrite sum_scale. fold (whole k). ring.
  Qed.

  Corollary minibatches_do_not_descend_on_average : 0 <= often ->
    0 <= sum minibatches (fun b => sum P (fun k => direction_of b k * whole k)).
  Proof.
    intros H. rewrite minibatches_climb_on_average. apply Rmult_le_pos; [exact H|]. unfold rise.
    apply sum_nonneg. intros. apply Rmult_le_pos; [apply Rabs_pos|apply square_nonneg].
  Qed.
End Minibatches.

(** A single one may descend: gradients 2 and -1 of two samples, w = 1: the second alone has <d, g> = -1 < 0. *)
Theorem witness_minibatch :
  direction_of 2 (fun _ => 1) (fun s _ => match s with O => 2 | _ => -1 end) (fun b s => at_index b s) 1 0
  * whole 2 (fun s _ => match s with O => 2 | _ => -1 end) 0 = -1.
Proof. unfold direction_of, whole, at_index. simpl. rewrite Rabs_R1. ring. Qed.

(** ** Momentum: v <- mu v + d, w <- w + lr v

    The first step, from v = 0, is plain. After it, v remembers gradients that are gone. *)

Theorem first_step_of_momentum_is_plain mu d : mu * 0 + d = d.
Proof. ring. Qed.

(** J = -(2 - w)^2 / 2 from w = 1, mu = 1/2, lr = 1: the first step ends at the maximum, w = 2, where d = 0; the second
    leaves it, and J falls by 1/8. *)
Theorem witness_momentum :
  let J w := - (2 - w) ^ 2 / 2 in let d w := Rabs w * (2 - w) in
  let v1 := 1 / 2 * 0 + d 1 in let w1 := 1 + 1 * v1 in
  let v2 := 1 / 2 * v1 + d w1 in let w2 := w1 + 1 * v2 in
  w1 = 2 /\ d w1 = 0 /\ J w2 - J w1 = -1 / 8.
Proof.
  cbv beta zeta. rewrite Rabs_R1. replace (1 + 1 * (1 / 2 * 0 + 1 * (2 - 1))) with 2 by field.
  rewrite (Rabs_right 2) by lra. repeat split; field.
Qed.

(** ** Adam: m <- b1 m + (1 - b1) d, v <- b2 v + (1 - b2) d^2, each divided by 1 - b^t, w <- w + lr m / (sqrt v + eps)

    Its first step is d / (|d| + eps): every weight in d's direction, so uphill wherever d = |w| g. *)

Definition adam_first (b1 b2 eps d : R) : R :=
  ((b1 * 0 + (1 - b1) * d) / (1 - b1 ^ 1)) / (sqrt ((b2 * 0 + (1 - b2) * d ^ 2) / (1 - b2 ^ 1)) + eps).

Theorem adams_first_step b1 b2 eps d : b1 < 1 -> b2 < 1 -> 0 < eps -> adam_first b1 b2 eps d = d / (Rabs d + eps).
Proof.
  intros H1 H2 He. unfold adam_first. replace ((b2 * 0 + (1 - b2) * d ^ 2) / (1 - b2 ^ 1)) with (d ^ 2) by (field; lra).
  replace (d ^ 2) with (Rsqr d) by (unfold Rsqr; ring). rewrite sqrt_Rsqr_abs. pose proof (Rabs_pos d). field. lra.
Qed.

Theorem adams_first_step_is_uphill P (w g : vector) b1 b2 eps : b1 < 1 -> b2 < 1 -> 0 < eps ->
  0 <= sum P (fun k => adam_first b1 b2 eps (Rabs (w k) * g k) * g k).
Proof.
  intros H1 H2 He. apply sum_nonneg. intros k _. rewrite adams_first_step by assumption.
  set (d := Rabs (w k) * g k). pose proof (Rabs_pos d).
  replace (d / (Rabs d + eps) * g k) with (Rabs (w k) * g k ^ 2 * / (Rabs d + eps)) by (unfold d; field; fold d; lra).
  apply Rmult_le_pos; [apply Rmult_le_pos; [apply Rabs_pos|apply square_nonneg]|].
  apply Rlt_le, Rinv_0_lt_compat. lra.
Qed.

(** But a weight of 0 still gets none: d = 0 leaves m and v at 0. *)
Theorem adam_leaves_zeros b1 b2 eps : b1 < 1 -> b2 < 1 -> 0 < eps -> adam_first b1 b2 eps 0 = 0.
Proof. intros. rewrite adams_first_step by assumption. rewrite Rabs_R0. field. lra. Qed.

(** Later steps remember, as with momentum: b1 = 1/2, feedback 1, then -1/4. The second mean is 1/8, corrected 1/6: the
    weight moves against its feedback, whatever b2 is (the root it is divided by is > 0). *)
Theorem witness_adam :
  let m1 := 1 / 2 * 0 + (1 - 1 / 2) * 1 in let m2 := 1 / 2 * m1 + (1 - 1 / 2) * (-1 / 4) in
  0 < m2 / (1 - (1 / 2) ^ 2) /\ m2 / (1 - (1 / 2) ^ 2) * (-1 / 4) = -1 / 24.
Proof. cbv zeta. split; [lra|field]. Qed.
