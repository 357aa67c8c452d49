(** * Where the theorems stop: exact counterexamples

    The numbers are those of witnesses.json, found by search.py. Softsign maps rationals to rationals, so every value
    here is exact. Unless an e is given, the rule is LFP-0; there are no biases. *)

From LFP Require Import sums.Sums sums.Network sums.Convolution sums.OneHiddenLayer
  activation_condition.ActivationCondition sign_and_sparsity.SignAndSparsity one_neuron.OneNeuron spiking.Spiking
  spiking.SpikingNetworks pinned.Compute.

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
Definition deep_network : net 1 1 :=
  Then (Linear (dense 1 1) 1 0 (fun _ => 1 / 10) (fun _ => 0) (Epsilon 0))
  (Then (Activation softsign softsign_derivative)
  (Then (Linear (dense 1 2) 2 0 (two 1 10) (fun _ => 0) (Epsilon 0))
  (Then (Activation softsign softsign_derivative)
        (Linear (dense 2 1) 2 0 (two 7 (-4)) (fun _ => 0) (Epsilon 0))))).

Theorem witness_depth :
  let x := fun _ : nat => 5 in
  sum (size deep_network) (fun k =>
    parameter_feedback deep_network x (fun j => forward deep_network x j * 1) k
    * gradient deep_network x (fun _ => 1) k)
  = -1345 / 140608.
Proof.
  intros x.
  assert (S1 : softsign (1 / 2) = 1 / 3) by value_of softsign.
  assert (S2 : softsign (1 / 3) = 1 / 4) by value_of softsign.
  assert (S3 : softsign (10 / 3) = 10 / 13) by value_of softsign.
  assert (D1 : softsign_derivative (1 / 2) = 4 / 9) by value_of softsign_derivative.
  assert (D2 : softsign_derivative (1 / 3) = 9 / 16) by value_of softsign_derivative.
  assert (D3 : softsign_derivative (10 / 3) = 9 / 169) by value_of softsign_derivative.
  unfold deep_network. cbn [size parameter_feedback gradient forward feedback backprop].
  set (z1 := pre_activation (dense 1 1) _ _ x).
  set (z2 := pre_activation (dense 1 2) _ _ (fun i => softsign (z1 i))).
  set (z3 := pre_activation (dense 2 1) _ _ (fun i => softsign (z2 i))).
  assert (Z1 : z1 0%nat = 1 / 2) by (unfold z1, pre_activation, weighted, x; simpl; field).
  assert (Z20 : z2 0%nat = 1 / 3) by (unfold z2, pre_activation, weighted, two; simpl; rewrite Z1, S1; field).
  assert (Z21 : z2 1%nat = 10 / 3) by (unfold z2, pre_activation, weighted, two; simpl; rewrite Z1, S1; field).
  assert (Z3 : z3 0%nat = 7 / 4 - 40 / 13)
    by (unfold z3, pre_activation, weighted, two; simpl; rewrite Z20, Z21, S2, S3; field).
  rewrite !sum_join_product. cbn [sum Nat.add].
  rewrite (dense_to_weight 2 1 _ _ _ _ _ 0 0), (dense_to_weight 2 1 _ _ _ _ _ 0 1),
    (dense_to_weight 1 2 _ _ _ _ _ 0 0), (dense_to_weight 1 2 _ _ _ _ _ 1 0), (dense_to_weight 1 1 _ _ _ _ _ 0 0),
    (dense_gradient_weight 2 1 _ _ 0 0), (dense_gradient_weight 2 1 _ _ 0 1),
    (dense_gradient_weight 1 2 _ _ 0 0), (dense_gradient_weight 1 2 _ _ 1 0),
    (dense_gradient_weight 1 1 _ _ 0 0) by lia.
  fold z1. rewrite !dense_to_input, !dense_gradient_input by lia. cbn [sum].
  fold z2. rewrite !dense_to_input, !dense_gradient_input by lia. cbn [sum].
  fold z3. rewrite !stab_zero, Z1, Z20, Z21, Z3, S1, S2, S3, D1, D2, D3, !quotient_div by lra.
  unfold two, x. simpl. absolute. field.
Qed.

(** ** One hidden layer, a batch of two, softsign

    x = (2, -3), w = 1, v = 3, J = y1 + y2. *)
Definition one_hidden_neuron : net 1 1 :=
  Then (Linear (dense 1 1) 1 0 (fun _ => 1) (fun _ => 0) (Epsilon 0))
  (Then (Activation softsign softsign_derivative)
        (Linear (dense 1 1) 1 0 (fun _ => 3) (fun _ => 0) (Epsilon 0))).

Theorem witness_batch :
  let N := one_hidden_neuron in let x s := fun _ : nat => two 2 (-3) s in
  let d k := sum 2 (fun s => parameter_feedback N (x s) (fun j => forward N (x s) j * 1) k) in
  let g k := sum 2 (fun s => gradient N (x s) (fun _ => 1) k) in
  sum (size N) (fun k => d k * g k) = -1 / 192.
Proof.
  intros N x.
  assert (S1 : softsign 2 = 2 / 3) by value_of softsign.
  assert (S2 : softsign (-3) = -3 / 4) by value_of softsign.
  assert (D1 : softsign_derivative 2 = 1 / 9) by value_of softsign_derivative.
  assert (D2 : softsign_derivative (-3) = 1 / 16) by value_of softsign_derivative.
  (* the two parameters at one sample whose sums are not 0 *)
  assert (H : forall s t, t = softsign (two 2 (-3) s) -> two 2 (-3) s <> 0 -> t <> 0 ->
    let d := parameter_feedback N (x s) (fun j => forward N (x s) j * 1) in let g := gradient N (x s) (fun _ => 1) in
    d 0%nat = 3 * t /\ g 0%nat = two 2 (-3) s * softsign_derivative (two 2 (-3) s) * 3 /\ d 1%nat = 3 * t
    /\ g 1%nat = t).
  { intros s t Ht Hx Hne. unfold N, one_hidden_neuron. cbn [parameter_feedback gradient forward feedback backprop size].
    set (z1 := pre_activation (dense 1 1) _ _ (x s)).
    set (z2 := pre_activation (dense 1 1) _ _ (fun i => softsign (z1 i))).
    assert (Z1 : z1 0%nat = two 2 (-3) s) by (unfold z1, pre_activation, weighted, x; simpl; ring).
    assert (Z2 : z2 0%nat = 3 * t) by (unfold z2, pre_activation, weighted; simpl; rewrite Z1, <- Ht; ring).
    unfold join. cbn [Nat.ltb Nat.leb Nat.add Nat.sub].
    rewrite !(dense_to_weight 1 1 _ _ _ _ _ 0 0), !(dense_gradient_weight 1 1 _ _ 0 0) by lia.
    fold z1. rewrite dense_to_input, dense_gradient_input by lia. cbn [sum]. fold z2.
    rewrite !stab_zero, Z1, Z2, <- Ht, !quotient_div by lra. unfold x. simpl. absolute. repeat split; field; lra. }
  pose proof (H 0%nat (2 / 3) (eq_sym S1)) as H0. pose proof (H 1%nat (-3 / 4) (eq_sym S2)) as H1.
  cbv zeta in H0, H1. cbn [two] in H0, H1.
  destruct H0 as [A0 [B0 [C0 E0]]]; [lra..|]. destruct H1 as [A1 [B1 [C1 E1]]]; [lra..|].
  cbv zeta. change (size N) with 2%nat. cbn [sum]. rewrite A0, A1, B0, B1, C0, C1, E0, E1, D1, D2. field.
Qed.

(** ** A convolution, one hidden layer, one sample: positions are like a batch

    A 1 x 1 kernel on an image of two pixels, then a dense layer to one output: conv (x) -> phi -> v. The two positions
    share the weight w, and in its sum they are weighed by different ratios. *)
Definition one_by_one : convolution_shape := Shape 1 1 2 1 1 1 1 1 0 0 1 1.
Definition convolutional_network (phi derivative : R -> R) (w v1 v2 e : R) : net 2 1 :=
  Then (Linear (convolution one_by_one) 1 0 (fun _ => w) (fun _ => 0) (Epsilon e))
  (Then (Activation phi derivative)
        (Linear (dense 2 1) 2 0 (two v1 v2) (fun _ => 0) (Epsilon e))).

(** <d, g> of the first [parameters] of them, for J = the output. *)
Definition slope_of (N : net 2 1) (x : vector) (parameters : nat) : R :=
  sum parameters (fun k => parameter_feedback N x (fun j => forward N x j * 1) k * gradient N x (fun _ => 1) k).

(** Softsign, x = (2, -3), w = 1, v = (3, 3): d g of the hidden weight is -5/192, so not every weight climbs. *)
Theorem witness_convolution :
  slope_of (convolutional_network softsign softsign_derivative 1 3 3 0) (two 2 (-3)) 1 = -5 / 192.
Proof. unfold softsign, softsign_derivative. evaluate. Qed.

(** With x = (240, -360), w = 1/120, the same z, <d, g> over all weights is < 0: LFP-0 descends. *)
Theorem witness_convolution_descends :
  let N := convolutional_network softsign softsign_derivative (1 / 120) 3 3 0 in
  slope_of N (two 240 (-360)) (size N) = -5 / 48.
Proof. intros N. unfold softsign, softsign_derivative. evaluate. Qed.

(** The stabiliser: ReLU, x = 200 (1/3, 1), w = 1/200, v = (2, -1/2), e = 1, one output: the positions' damping differs,
    and LFP-e descends. *)
Theorem witness_stabiliser_convolution :
  let N := convolutional_network plus (fun z => if Rlt_dec 0 z then 1 else 0) (1 / 200) 2 (-1 / 2) 1 in
  slope_of N (two (200 / 3) 200) (size N) = -37 / 126.
Proof. intros N. evaluate. Qed.

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
  let N := Linear (dense 1 1) 1 0 (fun _ => 1) (fun _ => 0) (Epsilon 1) in
  let x s := fun _ : nat => two (1 / 3) 1 s in let c s := fun _ : nat => two 2 (-1 / 2) s in
  let d k := sum 2 (fun s => parameter_feedback N (x s) (fun j => forward N (x s) j * c s j) k) in
  let g k := sum 2 (fun s => gradient N (x s) (c s) k) in
  sum (size N) (fun k => d k * g k) = -1 / 72.
Proof.
  intros N x c d g. unfold d, g, N. cbn [size parameter_feedback gradient forward Nat.add sum].
  unfold join. cbn [Nat.ltb Nat.leb].
  rewrite !(dense_to_weight 1 1 _ _ _ _ _ 0 0), !(dense_gradient_weight 1 1 _ _ 0 0) by lia.
  unfold pre_activation, weighted. simpl. rewrite !stab_abs. absolute.
  repeat match goal with |- context [sgn ?y] => destruct (sgn_cases y) as [[_ ->]|[H _]]; [|lra] end.
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

(** ** Spiking: two layers hand on more than came

    One step, e = 1, threshold 1/2, no biases. Above: inputs 1 and 1, weights 20 and -10, reward 1: they get 20/11 and
    -10/11. Below: two neurons with one input of 1 each, weights 9 and 1, which spike; the smaller current loses more of
    its reward to the stabiliser. Their inputs together get 13/11 > 1: bounds on the inputs' sum do not compose. *)
Theorem witness_spiking_layers :
  let above := s Subtract 2 1 (fun _ _ => 1) (two 20 (-10)) 0 (1 / 2) (1 / 2) 1 (fun _ => 1) 0 in
  let spike_of w := spike Subtract 1 (fun _ _ => 1) (fun _ => w) 0 (1 / 2) (1 / 2) 0 in
  let handed w r := to_inputs Subtract 1 1 (fun _ _ => 1) (fun _ => w) 0 (1 / 2) (1 / 2) 1 (fun _ => r) 0 in
  spike_of 9 = 1 /\ spike_of 1 = 1
  /\ handed 9 (20 * 1 * above) + handed 1 (-10 * 1 * above) = 13 / 11.
Proof. intros. repeat split; evaluate. Qed.

(** The same without a stabiliser, in time: two spiking layers as a network, e = 0, beta = 1/2, threshold 1/4, no reset, no
    biases. Inputs are spikes, (1, 1) at step 0 and (1, 0) at step 1, one to each neuron below, over weights of 1; both
    spike twice. Weights above: 2 and -1; reward: 1, at step 1. The neuron that decays leaks a part of its negative
    reward. All inputs together get 13/9 > 1. *)
Definition spiking_layer {n m} (L : wiring n m) (p : vector) : net (2 * n) (2 * m) :=
  LIF L 2 0 NoReset 2 (1 / 2) (1 / 4) 0 (fun _ => 1) p.

Theorem witness_spiking_network :
  let below := spiking_layer (one_to_one 2) (given [1; 1]) in
  let above := spiking_layer (dense 2 1) (given [2; -1]) in
  let a := given [1; 1; 1; 0] in
  let r := given [0; 1] in
  (forall k, (k < 4)%nat -> forward below a k = 1) /\ sum 4 (feedback (Then below above) a r) = 13 / 9.
Proof.
  intros below above a r.
  assert (F : forall k, (k < 4)%nat -> forward below a k = 1).
  { intros k Hk. do 4 (destruct k as [|k]; [evaluate|]). lia. }
  split; [exact F|].
  change (feedback (Then below above) a r) with (feedback below a (feedback above (forward below a) r)).
  revert F. generalize (forward below a) as f. intros f F.
  pose proof (F 0%nat ltac:(lia)) as F0. pose proof (F 1%nat ltac:(lia)) as F1.
  pose proof (F 2%nat ltac:(lia)) as F2. pose proof (F 3%nat ltac:(lia)) as F3.
  assert (G : forall k, (k < 4)%nat -> feedback above f r k = given [2 / 3; -1 / 3; 4 / 3; -2 / 3] k).
  { intros k Hk. do 4 (destruct k as [|k]; [unfold_numbers; rewrite ?F0, ?F1, ?F2, ?F3; evaluate|]). lia. }
  revert G. generalize (feedback above f r) as g. intros g G.
  pose proof (G 0%nat ltac:(lia)) as G0. pose proof (G 1%nat ltac:(lia)) as G1.
  pose proof (G 2%nat ltac:(lia)) as G2. pose proof (G 3%nat ltac:(lia)) as G3.
  simpl in G0, G1, G2, G3. unfold_numbers. rewrite ?G0, ?G1, ?G2, ?G3. evaluate.
Qed.

(** ** Flat does not look at the weight: zero is not absorbing *)
Theorem witness_flat input :
  to_weight (dense 1 1) (fun _ => 0) (fun _ => 0) (Flat 0) (fun _ => input) (fun _ => 1) 0 = 1.
Proof.
  unfold to_weight, connection, group_connection, per_unit, part, denominator, seen, seen_bias, at_index.
  simpl. unfold one, nothing, everywhere. rewrite stab_zero, quotient_div by lra.
  destruct (sgn_cases 0) as [[_ ->]|[H _]]; [field|lra].
Qed.
