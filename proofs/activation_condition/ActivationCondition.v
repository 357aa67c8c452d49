(** * The condition on the activation

    LFP-0 backpropagates with the secant phi(z)/z where the gradient has the derivative phi'(z). With one hidden layer
    and one sample each weight has one path to each output, so LFP climbs as long as the two have the same sign. *)

From LFP Require Import sums.Sums sums.Network sums.OneHiddenLayer equivalence.Equivalence.

(** Derivative and secant do not have opposite signs at z: phi'(z) phi(z) z >= 0. In words: |phi| does not shrink as z
    moves away from 0. (The signs of phi(z)/z and of phi(z) z are the same.) *)
Definition condition (phi derivative : R -> R) (z : R) : Prop := 0 <= derivative z * (phi z * z).

(** ** The condition suffices *)

Section Ascent.
  Context (inputs hidden outputs : nat) (phi derivative : R -> R).
  Context (x : vector) (w v : nat -> vector) (b c dJ : vector).
  Let Z := z inputs x w b.
  Let Out := out inputs hidden phi x w v b c.
  Let D := inner_product inputs hidden outputs phi derivative x w v b c dJ 0.
  Context (outputs_not_zero : forall o, (o < outputs)%nat -> Out o <> 0 \/ dJ o = 0).

  (** At the outputs LFP-0 has the gradient itself. *)
  Lemma s_out_is_gradient o : (o < outputs)%nat -> s_out inputs hidden phi x w v b c dJ 0 o = dJ o.
  Proof.
    intros Ho. unfold s_out. rewrite stab_zero. fold Out. destruct (outputs_not_zero o Ho) as [H|H].
    - rewrite quotient_div by assumption. unfold Out in *. field. assumption.
    - rewrite H, Rmult_0_r. apply quotient_zero_reward.
  Qed.

  (** At the hidden units it has the secant: s_h = phi(z)/z sum_o v_oh dJ_o. *)
  Lemma s_hidden_is_secant_times_gradient h :
    s_hidden inputs hidden outputs phi x w v b c dJ 0 h = quotient (phi (Z h)) (Z h) * backed outputs v dJ h.
  Proof.
    unfold s_hidden, r_hidden, a, backed. rewrite stab_zero. fold Z.
    rewrite (sum_ext outputs _ (fun o => v o h * dJ o)) by (intros; rewrite s_out_is_gradient by assumption; ring).
    destruct (Req_dec (Z h) 0) as [E|E].
    - unfold Z in *. rewrite E, !quotient_0. ring.
    - unfold Z in *. rewrite !quotient_div by assumption. field. assumption.
  Qed.

  (** <d, g> = sum_o dJ_o^2 leverage_o + sum_h phi(z_h)/z_h phi'(z_h) (sum_o v_oh dJ_o)^2 leverage_h. *)
  Theorem inner_product_with_secant :
    D = sum outputs (fun o => dJ o ^ 2 * leverage_out inputs hidden phi x w v b c o)
        + sum hidden (fun h => quotient (phi (Z h)) (Z h) * derivative (Z h) * backed outputs v dJ h ^ 2
                               * leverage_hidden inputs x w b h).
  Proof.
    unfold D. rewrite inner_product_by_neuron. f_equal.
    - apply sum_ext; intros o Ho. rewrite s_out_is_gradient by assumption. ring.
    - apply sum_ext; intros h Hh. rewrite s_hidden_is_secant_times_gradient. unfold delta. fold Z. ring.
  Qed.

  Lemma secant_times_derivative_nonneg t : condition phi derivative t -> 0 <= quotient (phi t) t * derivative t.
  Proof.
    unfold condition. intros H. unfold quotient. destruct (Req_EM_T t 0) as [E|E]; [lra|].
    replace (phi t / t * derivative t) with (derivative t * (phi t * t) * / (t ^ 2)) by (field; assumption).
    apply Rmult_le_pos; [assumption|]. apply Rlt_le, Rinv_0_lt_compat, square_pos, E.
  Qed.

  (** Ascent: one hidden layer, one sample, any number of outputs. *)
  Theorem ascent_under_the_condition :
    (forall h, (h < hidden)%nat -> condition phi derivative (Z h)) -> 0 <= D.
  Proof.
    intros Hcond. rewrite inner_product_with_secant. apply Rplus_le_le_0_compat.
    - apply sum_nonneg; intros o _. apply Rmult_le_pos; [apply square_nonneg|apply leverage_out_nonneg].
    - apply sum_nonneg; intros h Hh. apply Rmult_le_pos; [|apply leverage_hidden_nonneg].
      apply Rmult_le_pos; [apply secant_times_derivative_nonneg, Hcond; assumption|apply square_nonneg].
  Qed.

  (** And so weight by weight, bias by bias: none moves against its gradient. *)
  Theorem no_weight_descends_under_the_condition :
    (forall h, (h < hidden)%nat -> condition phi derivative (Z h)) ->
    (forall o h, (o < outputs)%nat ->
       0 <= d_v inputs hidden phi x w v b c dJ 0 o h * g_v inputs phi x w b dJ o h)
    /\ (forall o, (o < outputs)%nat -> 0 <= d_c inputs hidden phi x w v b c dJ 0 o * g_c dJ o)
    /\ (forall h i, (h < hidden)%nat ->
          0 <= d_w inputs hidden outputs phi x w v b c dJ 0 h i * g_w inputs outputs derivative x w v b dJ h i)
    /\ (forall h, (h < hidden)%nat ->
          0 <= d_b inputs hidden outputs phi x w v b c dJ 0 h * g_b inputs outputs derivative x w v b dJ h).
  Proof.
    intros Hcond.
    assert (Hnonneg : forall t p y, 0 <= p -> 0 <= Rabs t * (p * y ^ 2))
      by (intros; apply Rmult_le_pos; [apply Rabs_pos|apply Rmult_le_pos; [assumption|apply square_nonneg]]).
    assert (Hhidden : forall h, (h < hidden)%nat -> 0 <= quotient (phi (Z h)) (Z h) * derivative (Z h))
      by (intros; apply secant_times_derivative_nonneg, Hcond; assumption).
    unfold d_v, g_v, d_c, g_c, d_w, g_w, d_b, g_b, delta.
    split; [intros o h Ho|split; [intros o Ho|split; [intros h i Hh|intros h Hh]]];
      rewrite ?s_out_is_gradient, ?s_hidden_is_secant_times_gradient by assumption.
    - set (y := a inputs phi x w b h). replace (_ * _) with (Rabs (v o h) * (1 * (y * dJ o) ^ 2)) by ring.
      apply Hnonneg. lra.
    - replace (_ * _) with (Rabs (c o) * (1 * dJ o ^ 2)) by ring. apply Hnonneg. lra.
    - fold Z. set (B := backed outputs v dJ h). set (q := quotient (phi (Z h)) (Z h)) in *.
      replace (_ * _) with (Rabs (w h i) * (q * derivative (Z h) * (x i * B) ^ 2)) by ring.
      apply Hnonneg, Hhidden, Hh.
    - fold Z. set (B := backed outputs v dJ h). set (q := quotient (phi (Z h)) (Z h)) in *.
      replace (_ * _) with (Rabs (b h) * (q * derivative (Z h) * B ^ 2)) by ring.
      apply Hnonneg, Hhidden, Hh.
  Qed.

  (** Strictly uphill as soon as an output has a gradient and something to move it by. *)
  Theorem strict_ascent_under_the_condition o :
    (forall h, (h < hidden)%nat -> condition phi derivative (Z h)) ->
    (o < outputs)%nat -> dJ o <> 0 -> 0 < leverage_out inputs hidden phi x w v b c o -> 0 < D.
  Proof.
    intros Hcond Ho HdJ Hlev. rewrite inner_product_with_secant. apply Rplus_lt_le_0_compat.
    - apply sum_pos with (k := o); [|assumption|].
      + intros; apply Rmult_le_pos; [apply square_nonneg|apply leverage_out_nonneg].
      + apply Rmult_lt_0_compat; [apply square_pos|]; assumption.
    - apply sum_nonneg; intros h Hh. apply Rmult_le_pos; [|apply leverage_hidden_nonneg].
      apply Rmult_le_pos; [apply secant_times_derivative_nonneg, Hcond; assumption|apply square_nonneg].
  Qed.
End Ascent.

(** The same for the network itself, its parameters numbered through: <feedback, gradient> >= 0. *)
Corollary ascent_of_the_network_under_the_condition inputs hidden outputs phi derivative x w v b c dJ :
  let N := Then (Linear (dense inputs hidden) (hidden * inputs) hidden w b (Epsilon 0))
          (Then (Activation phi derivative)
                (Linear (dense hidden outputs) (outputs * hidden) outputs v c (Epsilon 0))) in
  (forall o, (o < outputs)%nat -> forward N x o <> 0 \/ dJ o = 0) ->
  (forall h, (h < hidden)%nat -> condition phi derivative (pre_activation (dense inputs hidden) w b x h)) ->
  0 <= sum (size N) (fun k => parameter_feedback N x (fun j => forward N x j * dJ j) k * gradient N x dJ k).
Proof.
  intros N Hout Hcond. unfold N. rewrite inner_product_of_the_network.
  apply ascent_under_the_condition; [exact Hout|exact Hcond].
Qed.

(** ** The condition is needed

    Wherever it is violated, at whatever z, there is a network of one hidden unit, without biases, that LFP-0 takes
    downhill: hidden weight z/X and input X, for X large enough. *)
Theorem the_condition_is_needed phi derivative t :
  derivative t * (phi t * t) < 0 ->
  exists x w, w * x = t /\
    inner_product 1 1 1 phi derivative (fun _ => x) (fun _ _ => w) (fun _ _ => 1) (fun _ => 0) (fun _ => 0)
      (fun _ => 1) 0 < 0.
Proof.
  intros H.
  assert (Ht : t <> 0) by (intros E; rewrite E in H; lra).
  assert (Hphi : phi t <> 0) by (intros E; rewrite E in H; lra).
  assert (Habs : 0 < Rabs t) by (apply Rabs_pos_lt, Ht).
  set (q := - (derivative t * (phi t * t))) in *. assert (Hq : 0 < q) by (unfold q; lra).
  set (X := (phi t ^ 2 * Rabs t + 1) / q).
  assert (HX : 0 < X).
  { apply Rdiv_lt_0_compat; [|assumption].
    assert (0 <= phi t ^ 2 * Rabs t) by (apply Rmult_le_pos; [apply square_nonneg|lra]). lra. }
  exists X, (t / X). assert (Hwx : t / X * X = t) by (field; lra). split; [assumption|].
  rewrite inner_product_with_secant.
  - unfold leverage_out, leverage_hidden, backed, a, z. cbn [sum]. rewrite !Rplus_0_l, !Rplus_0_r, Hwx.
    rewrite Rabs_R0, Rabs_R1, quotient_div by assumption.
    unfold Rdiv at 2. rewrite Rabs_mult, (Rabs_right (/ X)) by (apply Rle_ge, Rlt_le, Rinv_0_lt_compat, HX).
    replace (1 ^ 2 * (1 * phi t ^ 2 + 0)
             + phi t / t * derivative t * (1 * 1) ^ 2 * (Rabs t * / X * X ^ 2 + 0))
      with (phi t ^ 2 + (derivative t * (phi t * t)) * (Rabs t / t ^ 2) * X) by (field; lra).
    replace (t ^ 2) with (Rabs t * Rabs t)
      by (rewrite <- Rabs_mult, Rabs_right; [ring|]; pose proof (square_nonneg t); lra).
    replace (phi t ^ 2 + derivative t * (phi t * t) * (Rabs t / (Rabs t * Rabs t)) * X) with (- / Rabs t).
    + apply Ropp_lt_gt_0_contravar, Rinv_0_lt_compat, Habs.
    + unfold X. replace (derivative t * (phi t * t)) with (- q) by (unfold q; ring). field. lra.
  - intros o _. left. unfold out, a, z. simpl. rewrite !Rplus_0_l, !Rplus_0_r, Hwx, Rmult_1_l. assumption.
Qed.

(** ** Who satisfies it *)

(** Whoever does not fall and passes through the origin, in the sense phi(z) z >= 0. *)
Theorem monotone_through_the_origin phi derivative t :
  0 <= derivative t -> 0 <= phi t * t -> condition phi derivative t.
Proof. intros. unfold condition. apply Rmult_le_pos; assumption. Qed.

(** Negatives and reflections of those who do. *)
Theorem negated phi derivative t :
  condition phi derivative t -> condition (fun z => - phi z) (fun z => - derivative z) t.
Proof.
  unfold condition. intros H.
  replace (- derivative t * (- phi t * t)) with (derivative t * (phi t * t)) by ring. exact H.
Qed.

Theorem reflected phi derivative t :
  condition phi derivative (- t) -> condition (fun z => phi (- z)) (fun z => - derivative (- z)) t.
Proof.
  unfold condition. intros H.
  replace (- derivative (- t) * (phi (- t) * t)) with (derivative (- t) * (phi (- t) * - t)) by ring. exact H.
Qed.

(** ReLU, leaky ReLU with any slope (also a negative one), identity. *)
Theorem two_slopes_satisfy p q t : condition (two_slopes p q) (two_slopes_derivative p q) t.
Proof.
  unfold condition. rewrite two_slopes_are_homogeneous.
  replace (two_slopes_derivative p q t * (two_slopes_derivative p q t * t * t))
    with ((two_slopes_derivative p q t * t) ^ 2) by ring. apply square_nonneg.
Qed.

(** Step, in the weak sense: its derivative is 0, so <d, g> has no share of the hidden weights at all. *)
Definition step (z : R) : R := if Rlt_dec 0 z then 1 else 0.
Theorem step_satisfies t : condition step (fun _ => 0) t.
Proof. unfold condition. rewrite Rmult_0_l. lra. Qed.

(** Softsign z / (1 + |z|). *)
Definition softsign (z : R) : R := z / (1 + Rabs z).
Definition softsign_derivative (z : R) : R := 1 / (1 + Rabs z) ^ 2.

Lemma softsign_positive_part z : 0 < 1 + Rabs z.
Proof. pose proof (Rabs_pos z). lra. Qed.

Theorem softsign_satisfies t : condition softsign softsign_derivative t.
Proof.
  pose proof (softsign_positive_part t) as H. apply monotone_through_the_origin.
  - unfold softsign_derivative. apply Rlt_le, Rdiv_lt_0_compat; [lra|]. apply square_pos. lra.
  - unfold softsign. replace (t / (1 + Rabs t) * t) with (t ^ 2 * / (1 + Rabs t)) by (field; lra).
    apply Rmult_le_pos; [apply square_nonneg|]. apply Rlt_le, Rinv_0_lt_compat, H.
Qed.

(** The exponential is increasing. (The standard library's proof of it needs the law of excluded middle as an axiom of
    its own; this one reads it off the series: e^x >= 1 + x for x >= 0.) *)
Lemma exp_above_its_tangent x : 0 <= x -> 1 + x <= exp x.
Proof.
  intros Hx. unfold exp. destruct (exist_exp x) as [l Hl]. simpl.
  set (partial := fun n => sum_f_R0 (fun i => / INR (fact i) * x ^ i) n).
  replace (1 + x) with (partial 1%nat) by (unfold partial; simpl; field).
  apply (growing_ineq partial); [|exact Hl].
  intros n. unfold partial. simpl sum_f_R0. rewrite <- (Rplus_0_r (sum_f_R0 _ n)) at 1. apply Rplus_le_compat_l.
  apply Rmult_le_pos; [|exact (pow_le x (S n) Hx)]. apply Rlt_le, Rinv_0_lt_compat, lt_0_INR, (lt_O_fact (S n)).
Qed.

Lemma exp_rises x y : x < y -> exp x < exp y.
Proof.
  intros H. replace y with (x + (y - x)) by ring. rewrite exp_plus.
  pose proof (exp_pos x). pose proof (exp_above_its_tangent (y - x) ltac:(lra)).
  assert (exp x * (1 + (y - x)) <= exp x * exp (y - x)) by (apply Rmult_le_compat_l; lra).
  assert (0 < exp x * (y - x)) by (apply Rmult_lt_0_compat; lra). lra.
Qed.

(** Tanh, from the standard library. *)
Definition tanh_derivative (z : R) : R := 1 / cosh z ^ 2.

Lemma cosh_pos z : 0 < cosh z.
Proof. unfold cosh. pose proof (exp_pos z). pose proof (exp_pos (- z)). lra. Qed.

Theorem tanh_satisfies t : condition tanh tanh_derivative t.
Proof.
  pose proof (cosh_pos t) as H. apply monotone_through_the_origin.
  - unfold tanh_derivative. apply Rlt_le, Rdiv_lt_0_compat; [lra|]. apply square_pos. lra.
  - unfold tanh. replace (sinh t / cosh t * t) with (sinh t * t * / cosh t) by (field; lra).
    apply Rmult_le_pos; [|apply Rlt_le, Rinv_0_lt_compat, H]. unfold sinh.
    destruct (Rle_dec 0 t) as [Ht|Ht].
    + apply Rmult_le_pos; [|assumption]. destruct Ht as [Ht|<-]; [|rewrite Ropp_0; lra].
      assert (exp (- t) < exp t) by (apply exp_rises; lra). lra.
    + replace ((exp t - exp (- t)) / 2 * t) with ((exp (- t) - exp t) / 2 * - t) by field.
      assert (exp t < exp (- t)) by (apply exp_rises; lra). apply Rmult_le_pos; lra.
Qed.

(** ELU with alpha >= 0: z right of 0, alpha (e^z - 1) left of it. *)
Definition elu (alpha z : R) : R := if Rlt_dec 0 z then z else alpha * (exp z - 1).
Definition elu_derivative (alpha z : R) : R := if Rlt_dec 0 z then 1 else alpha * exp z.

Theorem elu_satisfies alpha t : 0 <= alpha -> condition (elu alpha) (elu_derivative alpha) t.
Proof.
  intros Halpha. apply monotone_through_the_origin; unfold elu, elu_derivative; destruct (Rlt_dec 0 t) as [H|H].
  - lra.
  - apply Rmult_le_pos; [assumption|]. apply Rlt_le, exp_pos.
  - apply Rmult_le_pos; lra.
  - replace (alpha * (exp t - 1) * t) with (alpha * ((1 - exp t) * - t)) by ring.
    apply Rmult_le_pos; [assumption|]. apply Rmult_le_pos; [|lra].
    destruct (Req_dec t 0) as [->|Hne]; [rewrite exp_0; lra|].
    assert (exp t < exp 0) by (apply exp_rises; lra). rewrite exp_0 in *. lra.
Qed.

(** ** Who does not *)

(** A function that is positive and rises left of 0 violates it everywhere there: *)
Theorem positive_and_rising_left_of_zero_violates phi derivative t :
  t < 0 -> 0 < phi t -> 0 < derivative t -> ~ condition phi derivative t.
Proof.
  intros Ht Hphi Hd H. unfold condition in H.
  assert (0 < derivative t * (phi t * - t)) by (apply Rmult_lt_0_compat; [|apply Rmult_lt_0_compat]; lra).
  replace (derivative t * (phi t * t)) with (- (derivative t * (phi t * - t))) in H by ring. lra.
Qed.

(** sigmoid, *)
Definition sigmoid (z : R) : R := 1 / (1 + exp (- z)).
Definition sigmoid_derivative (z : R) : R := sigmoid z * (1 - sigmoid z).

Lemma sigmoid_between_0_and_1 z : 0 < sigmoid z < 1.
Proof.
  unfold sigmoid. pose proof (exp_pos (- z)) as H. split.
  - apply Rdiv_lt_0_compat; lra.
  - apply Rmult_lt_reg_r with (1 + exp (- z)); [lra|].
    replace (1 / (1 + exp (- z)) * (1 + exp (- z))) with 1 by (field; lra). lra.
Qed.

Theorem sigmoid_violates t : t < 0 -> ~ condition sigmoid sigmoid_derivative t.
Proof.
  intros Ht. destruct (sigmoid_between_0_and_1 t). apply positive_and_rising_left_of_zero_violates; [assumption..|].
  unfold sigmoid_derivative. apply Rmult_lt_0_compat; lra.
Qed.

(** softplus ln (1 + e^z), told here without a logarithm as the function with e^softplus(z) = 1 + e^z; its derivative is
    the sigmoid. *)
Theorem softplus_violates softplus t :
  (forall z, exp (softplus z) = 1 + exp z) -> t < 0 -> ~ condition softplus sigmoid t.
Proof.
  intros Hdef Ht. destruct (sigmoid_between_0_and_1 t).
  apply positive_and_rising_left_of_zero_violates; [assumption| |assumption].
  destruct (Rlt_dec 0 (softplus t)) as [H1|H1]; [assumption|exfalso].
  specialize (Hdef t). pose proof (exp_pos t).
  destruct (Req_dec (softplus t) 0) as [E|E]; [rewrite E, exp_0 in Hdef; lra|].
  assert (exp (softplus t) < exp 0) by (apply exp_rises; lra). rewrite exp_0 in *. lra.
Qed.

(** z p(z) with p > 0 (SiLU, GELU) violates it exactly where it falls. *)
Theorem gated_violates_where_it_falls p derivative t :
  t <> 0 -> 0 < p t -> (condition (fun z => z * p z) derivative t <-> 0 <= derivative t).
Proof.
  intros Ht Hp. unfold condition.
  assert (Hpos : 0 < t * p t * t) by (replace (t * p t * t) with (t ^ 2 * p t) by ring;
    apply Rmult_lt_0_compat; [apply square_pos|]; assumption).
  split; intros H; [|apply Rmult_le_pos; lra].
  apply Rmult_le_reg_r with (t * p t * t); [assumption|]. lra.
Qed.

(** SiLU z sigmoid(z) falls exactly where 1 + z + e^z < 0: left of one point, between -2 and -1. *)
Definition silu (z : R) : R := z * sigmoid z.
Definition silu_derivative (z : R) : R := sigmoid z + z * sigmoid_derivative z.

Theorem silu_satisfies_where_it_does_not_fall t : condition silu silu_derivative t <-> 0 <= 1 + t + exp t.
Proof.
  destruct (sigmoid_between_0_and_1 t) as [H0 H1]. pose proof (exp_pos t) as He. pose proof (exp_pos (- t)) as He'.
  destruct (Req_dec t 0) as [->|Ht].
  - unfold condition. rewrite exp_0, Rmult_0_r, Rmult_0_r. lra.
  - unfold silu. rewrite gated_violates_where_it_falls by assumption.
    assert (E : silu_derivative t = sigmoid t * (sigmoid t * exp (- t)) * (1 + t + exp t)).
    { unfold silu_derivative, sigmoid_derivative, sigmoid. replace (exp t) with (/ exp (- t)).
      - field. lra.
      - rewrite <- exp_Ropp. f_equal. ring. }
    rewrite E. assert (Hpos : 0 < sigmoid t * (sigmoid t * exp (- t)))
      by (apply Rmult_lt_0_compat; [|apply Rmult_lt_0_compat]; assumption).
    split; intros H; [|apply Rmult_le_pos; lra].
    apply Rmult_le_reg_l with (1 := Hpos). lra.
Qed.

Theorem silu_violates_left_of_one_point :
  (forall t t', t < t' -> ~ condition silu silu_derivative t' -> ~ condition silu silu_derivative t)
  /\ ~ condition silu silu_derivative (-2) /\ condition silu silu_derivative (-1).
Proof.
  split; [|split].
  - intros t t' Ht. rewrite !silu_satisfies_where_it_does_not_fall. pose proof (exp_rises t t' Ht). lra.
  - rewrite silu_satisfies_where_it_does_not_fall. assert (exp (-2) < exp 0) by (apply exp_rises; lra).
    rewrite exp_0 in *. lra.
  - rewrite silu_satisfies_where_it_does_not_fall. pose proof (exp_pos (-1)). lra.
Qed.
