(** * Where the theorems stop: exact counterexamples

    The numbers are those of witnesses.json, found by search.py. Softsign maps rationals to rationals, so every value
    here is exact. Unless an e is given, the rule is LFP-0; there are no biases. *)

From LFP Require Import sums.Sums sums.Network sums.OneHiddenLayer activation_condition.ActivationCondition
  sign_and_sparsity.SignAndSparsity one_neuron.OneNeuron spiking.Spiking.

(** Values of |z|, quotients and softsign at given numbers. *)
Ltac absolute := repeat match goal with
  | |- context [Rabs ?x] => first [rewrite (Rabs_right x) by lra | rewrite (Rabs_left x) by lra]
  end.
Ltac value_of f := unfold f; absolute; field.

(** Two given numbers as a vector. *)
Definition two (p q : R) : vector := fun i => match i with O => p | _ => q end.

(** ** The condition on the activation is violated

    phi = 1 + softsign at z = -1/2: x = 1, w = -1/2, v = 2, J = z2 = v phi(w x): <d, g> = -8/27. *)
Theorem witness_activation :
  inner_product 1 1 1 (fun z => 1 + softsign z) softsign_derivative
    (fun _ => 1) (fun _ _ => -1 / 2) (fun _ _ => 2) (fun _ => 0) (fun _ => 0) (fun _ => 1) 0 = -8 / 27.
Proof.
  assert (H : softsign (-1 / 2) = -1 / 3) by value_of softsign.
  assert (H' : softsign_derivative (-1 / 2) = 4 / 9) by value_of softsign_derivative.
  rewrite inner_product_with_secant.
  - unfold leverage_out, leverage_hidden, backed, a, z. cbn [sum].
    replace (0 + -1 / 2 * 1 + 0) with (-1 / 2) by field. rewrite H, H', quotient_div by lra. absolute. field.
  - intros o _. left. unfold out, a, z. cbn [sum].
    replace (0 + -1 / 2 * 1 + 0) with (-1 / 2) by field. rewrite H. lra.
Qed.

(** ** Two hidden layers, one sample, softsign

    One unit, then two: x = 5, w = 1/10, u = (1, 10), v = (7, -4), J = z3. *)
Theorem witness_depth :
  let x := 5 in let w := 1 / 10 in let u1 := 1 in let u2 := 10 in let v1 := 7 in let v2 := -4 in
  let z1 := w * x in let a := softsign z1 in
  let z21 := u1 * a in let z22 := u2 * a in let a21 := softsign z21 in let a22 := softsign z22 in
  let z3 := v1 * a21 + v2 * a22 in
  (* LFP-0, reward z3 dJ/dz3 = z3: secants *)
  let s21 := a21 / z21 * v1 in let s22 := a22 / z22 * v2 in let s1 := a / z1 * (u1 * s21 + u2 * s22) in
  (* the gradient: derivatives *)
  let g21 := softsign_derivative z21 * v1 in let g22 := softsign_derivative z22 * v2 in
  let g1 := softsign_derivative z1 * (u1 * g21 + u2 * g22) in
  z3 <> 0 /\
  (Rabs v1 * a21) * a21 + (Rabs v2 * a22) * a22
  + (Rabs u1 * (a * s21)) * (a * g21) + (Rabs u2 * (a * s22)) * (a * g22)
  + (Rabs w * (x * s1)) * (x * g1) = -1345 / 140608.
Proof.
  intros. assert (Hz1 : z1 = 1 / 2) by (unfold z1, w, x; field).
  assert (Ha : a = 1 / 3) by (unfold a; rewrite Hz1; value_of softsign).
  assert (H21 : z21 = 1 / 3) by (unfold z21, u1; rewrite Ha; field).
  assert (H22 : z22 = 10 / 3) by (unfold z22, u2; rewrite Ha; field).
  assert (Ha21 : a21 = 1 / 4) by (unfold a21; rewrite H21; value_of softsign).
  assert (Ha22 : a22 = 10 / 13) by (unfold a22; rewrite H22; value_of softsign).
  assert (D1 : softsign_derivative z1 = 4 / 9) by (rewrite Hz1; value_of softsign_derivative).
  assert (D21 : softsign_derivative z21 = 9 / 16) by (rewrite H21; value_of softsign_derivative).
  assert (D22 : softsign_derivative z22 = 9 / 169) by (rewrite H22; value_of softsign_derivative).
  split; [unfold z3, v1, v2; rewrite Ha21, Ha22; lra|].
  unfold s1, g1, s21, s22, g21, g22. rewrite D1, D21, D22, Ha21, Ha22, H21, H22, Ha, Hz1.
  unfold v1, v2, u1, u2, w, x. absolute. field.
Qed.

(** ** One hidden layer, a batch of two, softsign

    x = (2, -3), w = 1, v = 3, J = y1 + y2. *)
Theorem witness_batch :
  let x1 := 2 in let x2 := -3 in let w := 1 in let v := 3 in
  let z1 := w * x1 in let z2 := w * x2 in let a1 := softsign z1 in let a2 := softsign z2 in
  v * a1 <> 0 /\ v * a2 <> 0 /\
  (Rabs v * (a1 + a2)) * (a1 + a2)
  + (Rabs w * (x1 * (a1 / z1 * v) + x2 * (a2 / z2 * v)))
    * (x1 * (softsign_derivative z1 * v) + x2 * (softsign_derivative z2 * v)) = -1 / 192.
Proof.
  intros. assert (H1 : z1 = 2) by (unfold z1, w, x1; ring). assert (H2 : z2 = -3) by (unfold z2, w, x2; ring).
  assert (A1 : a1 = 2 / 3) by (unfold a1; rewrite H1; value_of softsign).
  assert (A2 : a2 = -3 / 4) by (unfold a2; rewrite H2; value_of softsign).
  assert (D1 : softsign_derivative z1 = 1 / 9) by (rewrite H1; value_of softsign_derivative).
  assert (D2 : softsign_derivative z2 = 1 / 16) by (rewrite H2; value_of softsign_derivative).
  rewrite D1, D2, A1, A2, H1, H2. unfold v, w, x1, x2. absolute. repeat split; lra.
Qed.

(** ** Too large a step

    J(w) = -(t - w x)^2 / 2 with x = 2, t = 1 at w = 1: g = (t - w x) x = -2, L = x^2 = 4, M = 1. At lr = 1 > 2/(L M) J
    falls by 4; at lr = 2/(L M) = 1/2 exactly it stays, so the bound of a_step_does_not_fall is sharp. *)
Definition J_square (w : R) : R := - (1 - w * 2) ^ 2 / 2.

Theorem witness_step : let g := (1 - 1 * 2) * 2 in J_square (update 1 g 1) - J_square 1 = -4.
Proof. unfold J_square, update. absolute. field. Qed.

Theorem witness_step_sharp : let g := (1 - 1 * 2) * 2 in J_square (update 1 g (1 / 2)) = J_square 1.
Proof. unfold J_square, update. absolute. field. Qed.

(** ** A step out of the linear region

    J(w) = -sum_n (t_n - relu(w x_n))^2 / 2, x = (1, -2), t = (-1, -1), at w = 1. Sample 2 is silent there: g = -2,
    L = M = 1, lr = 1 = 1/(L M) is allowed by that region's smoothness, but the step leaves the region: J falls by
    5/2. *)
Definition J_region (w : R) : R := - (-1 - plus (w * 1)) ^ 2 / 2 - (-1 - plus (w * -2)) ^ 2 / 2.

Lemma plus_positive z : 0 <= z -> plus z = z.
Proof. intros H. unfold plus, Rmax. destruct Rle_dec; lra. Qed.
Lemma plus_negative z : z <= 0 -> plus z = 0.
Proof. intros H. unfold plus, Rmax. destruct Rle_dec; lra. Qed.

Theorem witness_region : let g := (-1 - 1 * 1) * 1 in J_region (update 1 g 1) - J_region 1 = -5 / 2.
Proof.
  intros g. assert (Hw : update 1 g 1 = -1) by (unfold update, g; absolute; ring). rewrite Hw. unfold J_region.
  rewrite (plus_negative (-1 * 1)), (plus_positive (-1 * -2)), (plus_positive (1 * 1)), (plus_negative (1 * -2)) by lra.
  field.
Qed.

(** ** A sign flips: lr |g| = 2 *)
Theorem witness_flip : update 1 (-2) 1 * 1 < 0.
Proof. unfold update. absolute. lra. Qed.

(** ** LFP at rest where the gradient is not

    Absorbed: lr |g| = 1 takes w = 1 to exactly 0, and there LFP stays whatever g is from then on; the gradient
    is -1. *)
Theorem witness_absorbed g lr steps :
  update 1 (-1) 1 = 0 /\ trained (update 1 (-1) 1) g lr steps = 0.
Proof.
  assert (H : update 1 (-1) 1 = 0) by (unfold update; absolute; ring).
  split; [assumption|]. rewrite H. apply zero_stays_zero.
Qed.

(** At z = 0: x = (1, 1), w = (1, -1), J = z = 0. The reward z dJ/dz is 0, so is the feedback, for every e, although no
    weight is 0 and the gradient is (1, 1). So d = |w| g needs z <> 0. *)
Theorem witness_rest e k :
  let z := pre_activation (dense 2 1) (two 1 (-1)) (fun _ => 0) (fun _ => 1) 0 in
  (k < 2)%nat ->
  z = 0
  /\ to_weight (dense 2 1) (two 1 (-1)) (fun _ => 0) (Epsilon e) (fun _ => 1) (fun _ => z * 1) k = 0
  /\ gradient_weight (dense 2 1) (fun _ => 1) (fun _ => 1) k = 1.
Proof.
  intros z Hk. assert (Hz : z = 0) by (unfold z, pre_activation, weighted, two; simpl; ring).
  split; [assumption|]. split.
  - apply unrewarded_outputs_change_no_weight. intros. rewrite Hz. ring.
  - destruct k as [|[|k]]; [| |lia]; unfold gradient_weight, at_index; simpl; ring.
Qed.

(** ** One neuron in a batch: a sample moves against its own reward

    x = (1/2, 1), w = 1, s = (1, -1), lr = 1: z_1 moves by -1/4 although s_1 = 1. *)
Theorem witness_neuron_batch :
  let x n := fun _ => two (1 / 2) 1 n in let s := two 1 (-1) in
  value 1 (x 0%nat) (fun _ => 1 + 1 * (Rabs 1 * sum 2 (fun n => x n 0%nat * s n))) 0 - value 1 (x 0%nat) (fun _ => 1) 0
  = -1 / 4.
Proof. unfold value, two. simpl. absolute. field. Qed.

(** ** The stabiliser: one linear neuron and a batch of two

    x = (1/3, 1), dJ/dz = c = (2, -1/2), w = 1, e = 1: the samples' damping differs, and <d, g> = -1/72. *)
Theorem witness_stabiliser_batch :
  let w := 1 in let x1 := 1 / 3 in let x2 := 1 in let c1 := 2 in let c2 := -1 / 2 in
  let s1 := quotient (w * x1 * c1) (stab (w * x1) 1) in let s2 := quotient (w * x2 * c2) (stab (w * x2) 1) in
  (Rabs w * (x1 * s1 + x2 * s2)) * (x1 * c1 + x2 * c2) = -1 / 72.
Proof.
  intros. unfold s1, s2, c1, c2, x1, x2, w. rewrite !stab_abs. absolute.
  destruct (sgn_cases (1 * (1 / 3))) as [[_ ->]|[H _]]; [|lra]. destruct (sgn_cases (1 * 1)) as [[_ ->]|[H _]]; [|lra].
  rewrite !quotient_div by lra. field.
Qed.

(** ** The stabiliser: one hidden layer, one sample, two outputs, ReLU

    x = 1, w = 1/9, v = (1/4, 9), dJ/dy = c = (7, -1/9), e = 1/3: the outputs' damping differs, and <d, g> = -1/6318. *)
Theorem witness_stabiliser_outputs :
  inner_product 1 1 2 plus (fun z => if Rlt_dec 0 z then 1 else 0)
    (fun _ => 1) (fun _ _ => 1 / 9) (fun o _ => two (1 / 4) 9 o) (fun _ => 0) (fun _ => 0) (two 7 (-1 / 9)) (1 / 3)
  = -1 / 6318.
Proof.
  set (relu' := fun z => if Rlt_dec 0 z then 1 else 0).
  assert (Hz : forall h, z 1 (fun _ => 1) (fun _ _ => 1 / 9) (fun _ => 0) h = 1 / 9)
    by (intros; unfold z; simpl; field).
  assert (Ha : forall h, a 1 plus (fun _ => 1) (fun _ _ => 1 / 9) (fun _ => 0) h = 1 / 9)
    by (intros; unfold a; rewrite Hz, plus_positive; lra).
  assert (Hout : forall o,
      out 1 1 plus (fun _ => 1) (fun _ _ => 1 / 9) (fun o _ => two (1 / 4) 9 o) (fun _ => 0) (fun _ => 0) o
                 = two (1 / 36) 1 o) by (intros o; unfold out; cbn [sum]; rewrite Ha; destruct o; simpl; field).
  assert (Hpos : forall y, 0 < y -> sgn y = 1) by (intros y Hy; destruct (sgn_cases y) as [[_ E]|[H _]]; [exact E|lra]).
  assert (Hrelu : relu' (1 / 9) = 1) by (unfold relu'; destruct Rlt_dec; lra).
  rewrite inner_product_by_neuron.
  unfold s_hidden, r_hidden, s_out, delta, backed, leverage_out, leverage_hidden. cbn [sum].
  rewrite !Ha, !Hz, !Hout, Hrelu. unfold two, stab. rewrite !Hpos by lra. rewrite !quotient_div by lra. absolute. field.
Qed.

(** ** Spiking: the sum over steps moves a step against its own reward

    beta = 1/2, threshold never reached, e = 0, two steps with input 1, w = 1, rewards (1/2, -1): R[0] = 1/6 > 0, but
    the summed feedback is -1/2, and so u[0] falls. *)
Theorem witness_spiking_steps :
  let reward_ := reward NoReset 1 2 (fun _ _ => 1) (fun _ => 1) 0 (1 / 2) 10 0 (two (1 / 2) (-1)) in
  let s_ := s NoReset 1 2 (fun _ _ => 1) (fun _ => 1) 0 (1 / 2) 10 0 (two (1 / 2) (-1)) in
  reward_ 0%nat = 1 / 6 /\ Rabs 1 * sum 2 (fun t => 1 * s_ t) = -1 / 2.
Proof.
  intros.
  set (den_ := den NoReset 1 (fun _ _ => 1) (fun _ => 1) 0 (1 / 2) 10).
  assert (D1 : den_ 1%nat = 3 / 2).
  { unfold den_, den, u, v, taken, before, current, value. simpl. absolute. field. }
  assert (D0 : den_ 0%nat = 1).
  { unfold den_, den, u, v, taken, before, current, value. simpl. rewrite Rabs_R0. absolute. field. }
  assert (S1 : s_ 1%nat = -2 / 3).
  { unfold s_, s. rewrite stab_den. fold den_. rewrite D1, quotient_div by lra. unfold reward, carry; simpl. field. }
  assert (R0 : reward_ 0%nat = 1 / 6).
  { unfold reward_, reward. rewrite carry_is_what_flowed by lia. fold s_. rewrite S1.
    unfold v, before, current, value, two. simpl. field. }
  assert (S0 : s_ 0%nat = 1 / 6).
  { unfold s_, s. rewrite stab_den. fold den_ reward_. rewrite D0, R0, quotient_div by lra. field. }
  split; [assumption|]. simpl. rewrite S0, S1. absolute. field.
Qed.

(** ** Flat does not look at the weight: zero is not absorbing *)
Theorem witness_flat input :
  to_weight (dense 1 1) (fun _ => 0) (fun _ => 0) (Flat 0) (fun _ => input) (fun _ => 1) 0 = 1.
Proof.
  unfold to_weight, connection, group_connection, per_unit, part, denominator, seen, seen_bias, at_index.
  simpl. unfold one, nothing, everywhere. rewrite stab_zero, quotient_div by lra.
  destruct (sgn_cases 0) as [[_ ->]|[H _]]; [field|lra].
Qed.
