(** * Normalisation: batch norm at inference and in training, layer norm

    a_1, ..., a_n: what is normalised together: one channel's values over a batch, or one sample's features.
        mu = mean a,  scale = 1 / sqrt (var + eta),  x_i = (a_i - mu) scale,  y_i = w_i x_i + b_i
    (batch norm: w_i and b_i are the channel's for all i; layer norm: one for each feature). With s_i = r_i / stab (y_i, e)
    and t_i = w_i s_i
        r_(a_i) = a_i scale (t_i - mean t - x_i mean (x t))        through the statistics (training, layer norm)
        r_(a_i) = a_i scale t_i                                    statistics as constants (inference)
        d_w = |w| sum x s,  d_b = |b| sum s. *)

From LFP Require Import sums.Sums sums.Network equivalence.Equivalence equivalence.Derivative.

Section Normalised.
  Context (n : nat) (n_pos : (0 < n)%nat) (eta : R) (eta_pos : 0 < eta) (a w b : vector).

  Definition mean (f : vector) : R := sum n f / INR n.
  Definition centred (f : vector) (i : nat) : R := f i - mean f.
  Definition variance (f : vector) : R := mean (fun i => centred f i ^ 2).
  Definition scale (f : vector) : R := / sqrt (variance f + eta).
  Definition normal (f : vector) (i : nat) : R := centred f i * scale f.
  Definition output (f : vector) (i : nat) : R := w i * normal f i + b i.

  Lemma INR_pos : 0 < INR n.
  Proof. apply lt_0_INR, n_pos. Qed.

  Lemma variance_nonneg f : 0 <= variance f.
  Proof.
    unfold variance, mean. apply Rmult_le_pos; [|apply Rlt_le, Rinv_0_lt_compat, INR_pos].
    apply sum_nonneg. intros; apply square_nonneg.
  Qed.

  Lemma root_pos f : 0 < sqrt (variance f + eta).
  Proof. apply sqrt_lt_R0. pose proof (variance_nonneg f). lra. Qed.

  Lemma sum_is_n_mean f : sum n f = INR n * mean f.
  Proof. unfold mean. pose proof INR_pos. field. lra. Qed.

  Lemma mean_ext f g : (forall i, (i < n)%nat -> f i = g i) -> mean f = mean g.
  Proof. intros H. unfold mean. rewrite (sum_ext n f g H). reflexivity. Qed.

  Lemma centred_sums_to_0 f : sum n (centred f) = 0.
  Proof. unfold centred. rewrite sum_minus, sum_const, sum_is_n_mean. ring. Qed.

  Lemma normal_sums_to_0 f : sum n (normal f) = 0.
  Proof. unfold normal. rewrite sum_scale_right, centred_sums_to_0. ring. Qed.

  (** mean x^2 = var / (var + eta), a little less than 1. *)
  Lemma mean_square_of_normal f : mean (fun i => normal f i ^ 2) = 1 - eta * scale f ^ 2.
  Proof.
    pose proof (root_pos f) as Hroot. pose proof (variance_nonneg f). pose proof INR_pos.
    assert (Hsq : sqrt (variance f + eta) ^ 2 = variance f + eta) by (rewrite pow2_sqrt; lra).
    assert (E : mean (fun i => normal f i ^ 2) = variance f * scale f ^ 2).
    { unfold mean at 1. rewrite (sum_ext n _ (fun i => centred f i ^ 2 * scale f ^ 2))
        by (intros; unfold normal; ring).
      rewrite sum_scale_right. unfold variance, mean. field. lra. }
    rewrite E. unfold scale. rewrite pow_inv, Hsq. field. lra.
  Qed.

  (** ** The reward of the input *)

  Context (s : vector).    (* reward per unit, r / stab (y, e) *)
  Definition t_ (i : nat) : R := w i * s i.
  Definition adjoint (t : vector) (i : nat) : R :=
    scale a * (t i - mean t - normal a i * mean (fun k => normal a k * t k)).
  Definition input_reward (i : nat) : R := a i * adjoint t_ i.
  Definition input_reward_at_inference (i : nat) : R := a i * (scale a * t_ i).

  (** What reaches the input through the statistics: eta scale^2 sum x t, next to nothing. *)
  Theorem the_statistics_keep_almost_everything :
    sum n input_reward = eta * scale a ^ 2 * sum n (fun i => normal a i * t_ i).
  Proof.
    pose proof INR_pos. set (T := mean t_). set (X := mean (fun k => normal a k * t_ k)).
    assert (Ha : forall i, a i * scale a = normal a i + mean a * scale a) by (intros; unfold normal, centred; ring).
    rewrite (sum_ext n _ (fun i => normal a i * t_ i - T * normal a i - X * normal a i ^ 2
                                   + mean a * scale a * (t_ i - T - X * normal a i))).
    - rewrite sum_plus, !sum_minus, !sum_scale, sum_minus, sum_minus, sum_scale, sum_const, normal_sums_to_0.
      rewrite (sum_is_n_mean (fun i => normal a i ^ 2)), mean_square_of_normal, (sum_is_n_mean t_).
      rewrite (sum_is_n_mean (fun i => normal a i * t_ i)). fold T X. ring.
    - intros i _. unfold input_reward, adjoint. fold T X.
      transitivity (a i * scale a * (t_ i - T - normal a i * X)); [ring|]. rewrite Ha. ring.
  Qed.

  (** Nothing is lost without a name: input's + statistics' + bias's + stabiliser's share = reward, for s stab (y, e) = r:
      the statistics keep a scale (mean t + x mean (x t)). *)
  Definition statistics_share (i : nat) : R :=
    a i * scale a * (mean t_ + normal a i * mean (fun k => normal a k * t_ k)).
  Definition bias_share_ (i : nat) : R := (output a i - scale a * w i * a i) * s i.

  Theorem conservation_through_the_statistics e (r : vector) i :
    s i * stab (output a i) e = r i ->
    input_reward i + statistics_share i + bias_share_ i + e * sgn (output a i) * s i = r i.
  Proof.
    intros <-. unfold input_reward, adjoint, statistics_share, bias_share_, stab, t_. ring.
  Qed.

  Theorem conservation_at_inference e (r : vector) i :
    s i * stab (output a i) e = r i ->
    input_reward_at_inference i + bias_share_ i + e * sgn (output a i) * s i = r i.
  Proof. intros <-. unfold input_reward_at_inference, bias_share_, stab, t_. ring. Qed.
End Normalised.

(** ** The adjoint is the derivative: sum_i d_i y'_i = sum_i adjoint (w d)_i a'_i + sum_i (x_i d_i) w'_i + sum_i d_i b'_i *)

Section Derivative.
  Context (n : nat) (n_pos : (0 < n)%nat) (eta : R) (eta_pos : 0 < eta).
  Context (A W B : R -> vector) (A' W' B' : vector).
  Context (DA : forall i, (i < n)%nat -> derivative_at_0 (fun t => A t i) (A' i)).
  Context (DW : forall i, (i < n)%nat -> derivative_at_0 (fun t => W t i) (W' i)).
  Context (DB : forall i, (i < n)%nat -> derivative_at_0 (fun t => B t i) (B' i)).
  Let a := A 0.
  Let w := W 0.
  Let x := normal n eta a.
  Let k := scale n eta a.

  Lemma d_mean (F : R -> vector) (F' : vector) : (forall i, (i < n)%nat -> derivative_at_0 (fun t => F t i) (F' i)) ->
    derivative_at_0 (fun t => mean n (F t)) (mean n F').
  Proof.
    intros H. unfold mean, Rdiv. apply d_same with (f := fun t => / INR n * sum n (F t)); [intros; ring|].
    rewrite Rmult_comm. apply d_scale, (d_sum n F F'), H.
  Qed.

  Lemma d_centred i : (i < n)%nat -> derivative_at_0 (fun t => centred n (A t) i) (centred n A' i).
  Proof.
    intros Hi. unfold centred. apply (derivable_pt_lim_minus (fun t => A t i) (fun t => mean n (A t))); [apply DA, Hi|].
    apply d_mean, DA.
  Qed.

  Let variance' : R := mean n (fun i => 2 * centred n a i * centred n A' i).

  Lemma d_variance : derivative_at_0 (fun t => variance n (A t)) variance'.
  Proof.
    unfold variance, variance'.
    apply (d_mean (fun t i => centred n (A t) i ^ 2) (fun i => 2 * centred n a i * centred n A' i)).
    intros i Hi. pose proof (d_mult _ _ _ _ (d_centred i Hi) (d_centred i Hi)) as H. fold a in H.
    replace (2 * centred n a i * centred n A' i)
      with (centred n A' i * centred n a i + centred n a i * centred n A' i) by ring.
    apply d_same with (2 := H). intros t. ring.
  Qed.

  Lemma d_scale_of_a : derivative_at_0 (fun t => scale n eta (A t)) (- (variance' / 2) * k ^ 3).
  Proof.
    pose proof (root_pos n n_pos eta eta_pos a) as Hroot. pose proof (variance_nonneg n n_pos a) as Hvar.
    assert (D1 : derivative_at_0 (fun t => variance n (A t) + eta) variance').
    { replace variance' with (variance' + 0) by ring. apply d_plus; [apply d_variance|apply d_const]. }
    assert (D2 : derivative_at_0 (fun t => sqrt (variance n (A t) + eta)) (/ (2 * sqrt (variance n a + eta)) * variance')).
    { apply (derivable_pt_lim_comp (fun t => variance n (A t) + eta) sqrt); [exact D1|].
      apply derivable_pt_lim_sqrt. fold a. lra. }
    pose proof (d_inverse _ _ (Rgt_not_eq _ _ Hroot) D2) as H. cbv beta in H. fold a in H.
    replace (- (variance' / 2) * k ^ 3)
      with (- (/ (2 * sqrt (variance n a + eta)) * variance') / sqrt (variance n a + eta) ^ 2); [exact H|].
    unfold k, scale. field. lra.
  Qed.

  (** x'_i = scale (a'_i - mean a' - x_i mean (x a')). *)
  Definition normal' (i : nat) : R := k * (A' i - mean n A' - x i * mean n (fun j => x j * A' j)).

  Lemma d_normal i : (i < n)%nat -> derivative_at_0 (fun t => normal n eta (A t) i) (normal' i).
  Proof.
    intros Hi. pose proof (d_mult _ _ _ _ (d_centred i Hi) d_scale_of_a) as H. fold a in H. fold k in H.
    replace (normal' i) with (centred n A' i * k + centred n a i * (- (variance' / 2) * k ^ 3)); [exact H|].
    unfold normal', x, normal. fold k.
    assert (Hv : variance' * k = 2 * mean n (fun j => centred n a j * k * A' j)).
    { unfold variance', mean. rewrite (sum_ext n _ (fun j => 2 * (centred n a j * A' j) - 2 * mean n A' * centred n a j))
        by (intros; unfold centred at 2; ring).
      rewrite sum_minus, !sum_scale, (centred_sums_to_0 n n_pos).
      rewrite (sum_ext n (fun j => centred n a j * k * A' j) (fun j => k * (centred n a j * A' j))) by (intros; ring).
      rewrite sum_scale. unfold Rdiv. ring. }
    unfold centred at 1.
    transitivity (k * (A' i - mean n A' - centred n a i * k * (variance' * k / 2))); [field|]. rewrite Hv. field.
  Qed.

  Theorem the_adjoint_is_the_transposed_derivative :
    exists Y' : vector,
      (forall i, (i < n)%nat -> derivative_at_0 (fun t => output n eta (W t) (B t) (A t) i) (Y' i))
      /\ forall d : vector,
        sum n (fun i => d i * Y' i)
        = sum n (fun i => adjoint n eta a (fun i => w i * d i) i * A' i)
          + sum n (fun i => x i * d i * W' i) + sum n (fun i => d i * B' i).
  Proof.
    exists (fun i => W' i * x i + w i * normal' i + B' i). split.
    - intros i Hi. unfold output. apply d_plus; [|apply DB, Hi].
      exact (d_mult _ _ _ _ (DW i Hi) (d_normal i Hi)).
    - intros d. set (t := fun i => w i * d i).
      rewrite (sum_ext n _ (fun i => t i * normal' i + x i * d i * W' i + d i * B' i)) by (intros; unfold t; ring).
      rewrite !sum_plus. do 2 f_equal. unfold normal', adjoint. fold x k.
      rewrite (sum_ext n _ (fun i => k * (t i * A' i) - k * mean n A' * t i
                                     - k * mean n (fun j => x j * A' j) * (x i * t i))) by (intros; ring).
      rewrite (sum_ext n (fun i => k * (t i - mean n t - x i * mean n (fun j => x j * t j)) * A' i)
        (fun i => k * (t i * A' i) - k * mean n t * A' i - k * mean n (fun j => x j * t j) * (x i * A' i)))
        by (intros; ring).
      rewrite !sum_minus, !sum_scale, !(sum_is_n_mean n n_pos). ring.
  Qed.
End Derivative.

(** ** LFP-0 is |w| times the gradient here, too

    With e = 0 and r = y dJ/dy, where no y is 0: s = dJ/dy, so the input's reward is the input times its gradient, in
    training as well as at inference, and d_w = |w| dJ/dw, d_b = |b| dJ/db, as w and b appear as parameters, not as
    constants. *)
Theorem lfp_0_through_normalisation n eta (a w b d r : vector) i :
  let y := output n eta w b a in
  let s i := quotient (r i) (stab (y i) 0) in
  (forall i, (i < n)%nat -> y i <> 0 /\ r i = y i * d i) -> (i < n)%nat ->
  s i = d i
  /\ input_reward n eta a w s i = a i * adjoint n eta a (fun i => w i * d i) i
  /\ input_reward_at_inference n eta a w s i = a i * (scale n eta a * (w i * d i))
  /\ Rabs (w i) * (normal n eta a i * s i) = Rabs (w i) * (normal n eta a i * d i)
  /\ Rabs (b i) * s i = Rabs (b i) * d i.
Proof.
  intros y s H Hi.
  assert (Hs : forall i, (i < n)%nat -> s i = d i).
  { intros j Hj. destruct (H j Hj) as [Hy Hr]. unfold s. rewrite stab_zero, quotient_div, Hr by exact Hy. field. exact Hy. }
  assert (Hmean : forall f, mean n (fun k => f k * t_ w s k) = mean n (fun k => f k * (w k * d k))).
  { intros f. apply mean_ext. intros j Hj. unfold t_. rewrite Hs by exact Hj. reflexivity. }
  assert (Hmean1 : mean n (t_ w s) = mean n (fun k => w k * d k))
    by (apply mean_ext; intros j Hj; unfold t_; rewrite Hs by exact Hj; reflexivity).
  split; [apply Hs, Hi|]. unfold input_reward, adjoint, input_reward_at_inference. rewrite Hmean, Hmean1.
  unfold t_. rewrite Hs by exact Hi. repeat split.
Qed.

(** ** In a network, at inference: a layer of constants, x = (a - mean) scale, and one with the parameters, w x + b

    Both are members of the network type, so all that is proved of networks holds, w and b being among the parameters. *)

Definition BatchNormWithParameters (n : nat) (w b mean scale : vector) : net n n :=
  Then (Affine n scale (fun i => - (scale i * mean i)) 0) (Linear (one_to_one n) n n w b (Epsilon 0)).

Lemma one_to_one_forward n k c a i : (i < n)%nat -> pre_activation (one_to_one n) k c a i = k i * a i + c i.
Proof.
  intros Hi. unfold pre_activation, weighted. simpl. destruct (Nat.ltb_spec i n); [simpl; ring|lia].
Qed.

Theorem batch_norm_with_parameters_forward n w b mean scale a i : (i < n)%nat ->
  forward (BatchNormWithParameters n w b mean scale) a i = w i * ((a i - mean i) * scale i) + b i.
Proof.
  intros Hi. cbn [BatchNormWithParameters Affine forward].
  rewrite one_to_one_forward by exact Hi. rewrite one_to_one_forward by exact Hi. ring.
Qed.

(** Its parameters' feedback is the code's: d_w = |w| x s, d_b = |b| s with s = r / y. *)
Theorem batch_norm_with_parameters_feedback n w b mean scale a r i : (i < n)%nat ->
  let N := BatchNormWithParameters n w b mean scale in
  let s := quotient (r i) (stab (forward N a i) 0) in
  parameter_feedback N a r i = Rabs (w i) * ((a i - mean i) * scale i * s)
  /\ parameter_feedback N a r (n + i)%nat = Rabs (b i) * s.
Proof.
  intros Hi N s. unfold s, N. clear s N.
  set (x := forward (Affine n scale (fun i => - (scale i * mean i)) 0) a).
  assert (Hx : x i = (a i - mean i) * scale i)
    by (unfold x; simpl forward; rewrite one_to_one_forward by exact Hi; ring).
  change (forward (BatchNormWithParameters n w b mean scale) a i) with (pre_activation (one_to_one n) w b x i).
  cbn [BatchNormWithParameters Affine parameter_feedback size]. fold (Affine n scale (fun i => - (scale i * mean i)) 0).
  fold x. unfold join. change (i <? 0 + 0)%nat with false. change (n + i <? 0 + 0)%nat with false. cbv iota.
  replace (i - (0 + 0))%nat with i by lia. replace (n + i - (0 + 0))%nat with (n + i)%nat by lia.
  set (s := quotient (r i) (stab (pre_activation (one_to_one n) w b x i) 0)).
  destruct (Nat.ltb_spec i n) as [_|H]; [|lia]. destruct (Nat.ltb_spec (n + i) n) as [H|_]; [lia|].
  replace (n + i - n)%nat with i by lia. rewrite <- Hx, <- !sgn_mult. split.
  - unfold to_weight. rewrite (sum_ext n _ (fun j => at_index i j * (w i * x i * s))).
    + rewrite sum_at_index by exact Hi. ring.
    + intros j Hj. simpl fan. destruct (Nat.ltb_spec j n) as [_|H]; [|lia]. cbn [sum]. rewrite connection_epsilon.
      simpl which. simpl source. destruct (Nat.eq_dec j i) as [->|E]; [rewrite !at_index_same; unfold s; ring|].
      rewrite !at_index_other by auto. ring.
  - unfold to_bias. rewrite (sum_ext n _ (fun j => at_index i j * (b i * s))).
    + rewrite sum_at_index by exact Hi. ring.
    + intros j Hj. rewrite bias_share_epsilon. simpl which_bias.
      destruct (Nat.eq_dec j i) as [->|E]; [rewrite !at_index_same; unfold s; ring|].
      rewrite !at_index_other by auto. ring.
Qed.

(** So LFP-0 of a batch norm with parameters is |w| times the gradient, alone or anywhere in a network. *)
Corollary batch_norm_with_parameters_is_equivalent n w b mean scale a d r :
  let N := BatchNormWithParameters n w b mean scale in
  homogeneous_at N a -> (forall j, (j < n)%nat -> r j = forward N a j * d j) ->
  forall k, parameter_feedback N a r k = Rabs (parameter N k) * gradient N a d k.
Proof. intros N H Hr k. apply (lfp_0_is_absolute_weight_times_gradient N a d r H Hr). Qed.
