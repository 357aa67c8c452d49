(** * What the stabiliser does to LFP's direction

    With e > 0 a neuron divides by z + e sgn z in place of z: its path is multiplied by z / stab (z, e), a factor in
    [0, 1) of its own. One output: no direction is lost. Several: the factors reweight them against each other. *)

From LFP Require Import sums.Sums activation_condition.Ratio sums.OneHiddenLayer sums.Reweighting
  activation_condition.ActivationCondition.

(** z / stab (z, e), written so that it is 0 at z = 0. *)
Definition damping (z e : R) : R := Rabs z / (Rabs z + e).

Theorem damping_is_z_over_stab z e : 0 < e -> damping z e = z / stab z e.
Proof.
  intros He. pose proof (Rabs_pos z). pose proof (stab_nonzero_pos z e He). unfold damping. rewrite stab_abs.
  rewrite <- (sgn_mult z). destruct (sgn_cases z) as [[Hz E]|[Hz E]]; rewrite !E; field; lra.
Qed.

Theorem damping_between_0_and_1 z e : 0 < e -> 0 <= damping z e < 1.
Proof.
  intros He. pose proof (Rabs_pos z). unfold damping. split.
  - apply Rmult_le_pos; [assumption|]. apply Rlt_le, Rinv_0_lt_compat. lra.
  - apply Rmult_lt_reg_r with (Rabs z + e); [lra|].
    replace (Rabs z / (Rabs z + e) * (Rabs z + e)) with (Rabs z) by (field; lra). lra.
Qed.

(** It is 0 at z = 0 only. *)
Theorem damping_is_0_at_0_only z e : 0 < e -> (damping z e = 0 <-> z = 0).
Proof.
  intros He. pose proof (Rabs_pos z). unfold damping. split; intros H0.
  - destruct (Req_dec z 0) as [E|E]; [assumption|]. pose proof (Rabs_pos_lt z E).
    assert (0 < Rabs z / (Rabs z + e)) by (apply Rdiv_lt_0_compat; lra). lra.
  - rewrite H0, Rabs_R0. unfold Rdiv. ring.
Qed.

(** The reward per unit of a damped neuron: damping times that of LFP-0; at z = 0, where LFP-0 has none, r / e. *)
Theorem per_unit_is_damped r z e : 0 < e -> z <> 0 -> quotient r (stab z e) = damping z e * (r / z).
Proof.
  intros He Hz. pose proof (stab_nonzero_pos z e He).
  rewrite damping_is_z_over_stab, quotient_div by assumption. field. split; assumption.
Qed.

(** What the neuron hands on, bias included, is damping times its reward: the rest is the stabiliser's share. *)
Theorem handed_on_is_damped r z e : 0 < e ->
  z * quotient r (stab z e) = damping z e * r /\ e * sgn z * quotient r (stab z e) = (1 - damping z e) * r.
Proof.
  intros He. pose proof (stab_nonzero_pos z e He) as Hs.
  rewrite damping_is_z_over_stab, quotient_div by assumption. split; [field; assumption|].
  apply Rmult_eq_reg_r with (stab z e); [|assumption].
  replace (e * sgn z * (r / stab z e) * stab z e) with (e * sgn z * r) by (field; assumption).
  replace ((1 - z / stab z e) * r * stab z e) with ((stab z e - z) * r) by (field; assumption).
  unfold stab. ring.
Qed.

(** A stabiliser in proportion to |z|, e = rho |z|, damps every neuron alike: directions are those of LFP-0. *)
Theorem relative_stabiliser_damps_alike z rho : 0 <= rho -> z <> 0 -> damping z (rho * Rabs z) = / (1 + rho).
Proof.
  intros Hr Hz. pose proof (Rabs_pos_lt z Hz). unfold damping.
  replace (Rabs z + rho * Rabs z) with (Rabs z * (1 + rho)) by ring. field. lra.
Qed.

(** Any depth: a hidden unit that gets back B = sum_j w_j s_j has s = (damping * secant / derivative) * phi'(z) * B
    where the gradient has phi'(z) times its B. That is the recursion of Ratio.v with damping among the ratios, so
    ratio_layers_keep_the_sign and ratio_batch hold for e > 0 too, with these ratios in [m, M]. *)
Theorem lfp_epsilon_is_the_recursion_with_damped_ratios phi slope t e B :
  0 < e -> t <> 0 -> slope <> 0 ->
  quotient (phi t * B) (stab t e) = (damping t e * (phi t / t / slope)) * slope * B.
Proof. intros He Ht Hslope. rewrite per_unit_is_damped by assumption. field. split; assumption. Qed.

(** ** A small enough e, any depth and batch

    Where e <= t |z| at every neuron on the way, damping lies in [1/(1 + t), 1]. *)
Theorem damping_of_a_small_stabiliser z e t :
  0 < e -> 0 <= t -> z <> 0 -> e <= t * Rabs z -> / (1 + t) <= damping z e <= 1.
Proof.
  intros He Ht Hz Hsmall. pose proof (Rabs_pos_lt z Hz). split; [|apply Rlt_le, damping_between_0_and_1, He].
  unfold damping. apply Rmult_le_reg_r with ((1 + t) * (Rabs z + e)); [apply Rmult_lt_0_compat; lra|].
  replace (/ (1 + t) * ((1 + t) * (Rabs z + e))) with (Rabs z + e) by (field; lra).
  replace (Rabs z / (Rabs z + e) * ((1 + t) * (Rabs z + e))) with (Rabs z + t * Rabs z) by (field; lra). lra.
Qed.

(** theta <= h t / 2, with (1 + t)^h multiplied out: (q - 1) / (q + 1) <= h t / 2 for q = (1 + t)^h. *)
Lemma theta_is_small t h : 0 <= t -> 2 * ((1 + t) ^ h - 1) <= INR h * t * ((1 + t) ^ h + 1).
Proof.
  intros Ht.
  assert (Hq : forall n, 1 <= (1 + t) ^ n /\ (1 + t) ^ n * (1 - INR n * t) <= 1).
  { induction n as [|n [IH1 IH2]]; [simpl; lra|]. rewrite S_INR. simpl pow. split.
    - assert (0 <= t * (1 + t) ^ n) by (apply Rmult_le_pos; lra). lra.
    - pose proof (pos_INR n).
      assert (0 <= (1 + t) ^ n * ((INR n + 1) * (t * t))) by (repeat apply Rmult_le_pos; lra).
      replace ((1 + t) * (1 + t) ^ n * (1 - (INR n + 1) * t))
        with ((1 + t) ^ n * (1 - INR n * t) - (1 + t) ^ n * ((INR n + 1) * (t * t))) by ring. lra. }
  induction h as [|h IH]; [simpl; lra|]. destruct (Hq h) as [H1 H2]. pose proof (pos_INR h).
  rewrite S_INR. simpl pow. set (q := (1 + t) ^ h) in *.
  assert (0 <= t * (1 - q * (1 - INR h * t) + q * t)).
  { apply Rmult_le_pos; [assumption|]. assert (0 <= q * t) by (apply Rmult_le_pos; lra). lra. }
  replace ((INR h + 1) * t * ((1 + t) * q + 1))
    with (INR h * t * (q + 1) + 2 * (t * q) + t * (1 - q * (1 - INR h * t) + q * t)) by ring. lra.
Qed.

(** So a weight with input a_n at sample n goes the gradient's way where h t A <= 2 |g|: h layers that divide, its own
    and the output's included (the output's is a layer with weights [at_index] and slope 1), every ratio a damping in
    [1/(1 + t), 1]; g the gradient, A = P_ + N_ its sum over paths and samples, of absolute values. With t = e / min |z|
    that is e <= 2 min |z| |g| / (h A). *)
Theorem a_small_enough_stabiliser_keeps_the_sign
  samples h (a : vector) (c : nat -> vector) (layers : nat -> list layer) i t :
  0 <= t ->
  (forall n, (n < samples)%nat -> length (layers n) = h /\ ratios_in_range (/ (1 + t)) 1 (layers n)) ->
  let P n := terms_of_sign (c n) true (layers n) i in let N n := terms_of_sign (c n) false (layers n) i in
  let A := positive_terms samples a P N + positive_terms samples a N P in
  let g := sum samples (fun n => a n * Ratio.delta (c n) (layers n) i) in
  INR h * t * A <= 2 * Rabs g ->
  0 <= sum samples (fun n => a n * secant (c n) (layers n) i) * g.
Proof.
  intros Ht Hlayers P N A g Hsmall.
  assert (H1 : 0 < / (1 + t)) by (apply Rinv_0_lt_compat; lra).
  assert (H2 : / (1 + t) <= 1) by (rewrite <- Rinv_1; apply Rinv_le_contravar; lra).
  apply ratio_layers_and_batch_keep_the_sign with (h := h) (m := / (1 + t)) (M := 1); [lra|assumption|].
  fold P N A g. rewrite pow1. rewrite pow_inv.
  assert (Hq : 0 < (1 + t) ^ h) by (apply pow_lt; lra). pose proof (theta_is_small t h Ht) as Htheta.
  set (q := (1 + t) ^ h) in *.
  apply Rmult_le_reg_l with (1 := Hq).
  replace (q * ((1 - / q) * A)) with ((q - 1) * A) by (field; lra).
  replace (q * ((1 + / q) * Rabs g)) with ((q + 1) * Rabs g) by (field; lra).
  assert (HA : 0 <= A).
  { assert (Hplus : forall x, 0 <= plus x) by (intros; unfold plus; apply Rmax_r).
    unfold A, positive_terms. apply Rplus_le_le_0_compat; apply sum_nonneg; intros n Hn;
      destruct (Hlayers n Hn) as [_ Hin];
      destruct (ratio_layers (c n) (/ (1 + t)) 1 ltac:(lra) (layers n) Hin i) as [HP [HN _]];
      apply Rplus_le_le_0_compat; apply Rmult_le_pos; auto. }
  assert (2 * (q - 1) * A <= INR h * t * (q + 1) * A) by (apply Rmult_le_compat_r; assumption).
  assert ((q + 1) * (INR h * t * A) <= (q + 1) * (2 * Rabs g)) by (apply Rmult_le_compat_l; lra). lra.
Qed.

(** ** One hidden layer, one sample *)

Section OneHiddenLayer.
  Context (inputs hidden outputs : nat) (phi derivative : R -> R).
  Context (x : vector) (w v : nat -> vector) (b c dJ : vector) (e : R).
  Context (e_pos : 0 < e).
  Let Z := z inputs x w b.
  Let Out := out inputs hidden phi x w v b c.
  Let D := inner_product inputs hidden outputs phi derivative x w v b c dJ e.
  Context (satisfied : forall h, (h < hidden)%nat -> condition phi derivative (Z h)).
  (** At z = 0 LFP-e divides phi 0 by e where the secant has nothing to say: see the end of this file. *)
  Context (awake : forall h, (h < hidden)%nat -> Z h <> 0 \/ phi 0 = 0).

  (** What each output does to the gradient: a factor of its own. *)
  Lemma s_out_is_damped_gradient o : s_out inputs hidden phi x w v b c dJ e o = damping (Out o) e * dJ o.
  Proof.
    unfold s_out. fold Out. pose proof (stab_nonzero_pos (Out o) e e_pos).
    rewrite damping_is_z_over_stab, quotient_div by assumption. unfold Out in *. field. assumption.
  Qed.

  (** What a hidden unit gets back: the same terms v_oh dJ_o as in the gradient, reweighted. *)
  Definition backed_damped (h : nat) : R := sum outputs (fun o => damping (Out o) e * (v o h * dJ o)).

  Lemma s_hidden_is_damped_secant_times_backed h : (h < hidden)%nat ->
    s_hidden inputs hidden outputs phi x w v b c dJ e h
    = damping (Z h) e * quotient (phi (Z h)) (Z h) * backed_damped h.
  Proof.
    intros Hh. unfold s_hidden, r_hidden, backed_damped, a. fold Z.
    rewrite (sum_ext outputs _ (fun o => damping (Out o) e * (v o h * dJ o)))
      by (intros; rewrite s_out_is_damped_gradient; ring).
    destruct (Req_dec (Z h) 0) as [E|E].
    - destruct (awake h Hh) as [H|H]; [contradiction|]. rewrite E, H, Rmult_0_l, quotient_zero_reward, quotient_0. ring.
    - rewrite per_unit_is_damped, quotient_div by assumption. field. assumption.
  Qed.

  (** LFP-e climbs if at each hidden unit the reweighted sum keeps the sign of sum_o v_oh dJ_o. The outputs' own weights
      always do. *)
  Theorem ascent_if_reweighting_keeps_signs :
    (forall h, (h < hidden)%nat -> 0 <= backed_damped h * backed outputs v dJ h) -> 0 <= D.
  Proof.
    intros Hkeeps. unfold D. rewrite inner_product_by_neuron. apply Rplus_le_le_0_compat.
    - apply sum_nonneg; intros o _. rewrite s_out_is_damped_gradient.
      apply Rmult_le_pos; [|apply leverage_out_nonneg].
      replace (damping (Out o) e * dJ o * dJ o) with (damping (Out o) e * dJ o ^ 2) by ring.
      apply Rmult_le_pos; [apply damping_between_0_and_1; assumption|apply square_nonneg].
    - apply sum_nonneg; intros h Hh. apply Rmult_le_pos; [|apply leverage_hidden_nonneg].
      rewrite s_hidden_is_damped_secant_times_backed by assumption. unfold delta. fold Z.
      replace (damping (Z h) e * quotient (phi (Z h)) (Z h) * backed_damped h
               * (derivative (Z h) * backed outputs v dJ h))
        with (damping (Z h) e * (quotient (phi (Z h)) (Z h) * derivative (Z h))
              * (backed_damped h * backed outputs v dJ h)) by ring.
      apply Rmult_le_pos; [|apply Hkeeps; assumption].
      apply Rmult_le_pos; [apply damping_between_0_and_1; assumption|].
      apply secant_times_derivative_nonneg, satisfied; assumption.
  Qed.

  (** One output: ascent for every e > 0. *)
  Theorem ascent_with_one_output : outputs = 1%nat -> 0 <= D.
  Proof.
    intros Hone. apply ascent_if_reweighting_keeps_signs. intros h _. unfold backed_damped, backed.
    apply equal_factors with (q := damping (Out 0%nat) e).
    - apply damping_between_0_and_1, e_pos.
    - intros k Hk. replace k with 0%nat by lia. reflexivity.
  Qed.

  (** Several outputs that want the same of each hidden unit (all v_oh dJ_o of one sign): ascent for every e > 0. *)
  Theorem ascent_with_outputs_that_agree :
    (forall h o p, (h < hidden)%nat -> (o < outputs)%nat -> (p < outputs)%nat ->
       0 <= (v o h * dJ o) * (v p h * dJ p)) -> 0 <= D.
  Proof.
    intros Hagree. apply ascent_if_reweighting_keeps_signs. intros h Hh. unfold backed_damped, backed.
    apply terms_of_one_sign; [intros; apply damping_between_0_and_1, e_pos|]. intros; apply Hagree; assumption.
  Qed.

  (** Several outputs, all |out_o| >= smallest > 0: the factors lie in [smallest / (smallest + e), 1), so LFP-e climbs
      where the outputs do not cancel at a hidden unit by more than the factors differ:
      e sum_o |v_oh dJ_o| <= (2 smallest + e) |sum_o v_oh dJ_o|. For e small enough that is so wherever no
      such sum is 0. *)
  Theorem ascent_with_outputs_that_do_not_cancel smallest :
    0 < smallest -> (forall o, (o < outputs)%nat -> smallest <= Rabs (Out o)) ->
    (forall h, (h < hidden)%nat ->
       e * sum outputs (fun o => Rabs (v o h * dJ o)) <= (2 * smallest + e) * Rabs (backed outputs v dJ h)) ->
    0 <= D.
  Proof.
    intros Hpos Hsmallest Hcancel. apply ascent_if_reweighting_keeps_signs. intros h Hh.
    unfold backed_damped, backed.
    assert (Hq : 0 < smallest / (smallest + e) /\ smallest / (smallest + e) < 1).
    { split; [apply Rdiv_lt_0_compat; lra|]. apply Rmult_lt_reg_r with (smallest + e); [lra|].
      replace (smallest / (smallest + e) * (smallest + e)) with smallest by (field; lra). lra. }
    apply reweighting_keeps_the_sign with (lo := smallest / (smallest + e)) (hi := 1).
    - intros o Ho. split; [|apply Rlt_le, damping_between_0_and_1, e_pos].
      pose proof (Hsmallest o Ho) as Hy. unfold damping. set (y := Rabs (Out o)) in *.
      apply Rmult_le_reg_r with ((smallest + e) * (y + e)); [apply Rmult_lt_0_compat; lra|].
      replace (smallest / (smallest + e) * ((smallest + e) * (y + e))) with (smallest * y + smallest * e)
        by (field; lra).
      replace (y / (y + e) * ((smallest + e) * (y + e))) with (smallest * y + y * e) by (field; lra).
      apply Rplus_le_compat_l, Rmult_le_compat_r; lra.
    - specialize (Hcancel h Hh). unfold backed in Hcancel.
      apply Rmult_le_reg_r with (smallest + e); [lra|].
      set (A := sum outputs (fun o => Rabs (v o h * dJ o))) in *.
      set (B := Rabs (sum outputs (fun o => v o h * dJ o))) in *.
      replace ((1 - smallest / (smallest + e)) * A * (smallest + e)) with (e * A) by (field; lra).
      replace ((1 + smallest / (smallest + e)) * B * (smallest + e)) with ((2 * smallest + e) * B) by (field; lra).
      assumption.
  Qed.
End OneHiddenLayer.

(** ** Where it stops: a hidden unit at z = 0 with phi 0 <> 0

    phi (z) = 1 - z, x = 1, w = 1, b = -1, v = 1, e = 1: z = 0, where the condition says nothing, and <d, g> = -1/2. *)
Theorem a_hidden_unit_at_zero_can_descend :
  inner_product 1 1 1 (fun z => 1 - z) (fun _ => -1)
    (fun _ => 1) (fun _ _ => 1) (fun _ _ => 1) (fun _ => -1) (fun _ => 0) (fun _ => 1) 1 = -1 / 2
  /\ condition (fun z => 1 - z) (fun _ => -1) (z 1 (fun _ => 1) (fun _ _ => 1) (fun _ => -1) 0).
Proof.
  assert (Hz : z 1 (fun _ => 1) (fun _ _ => 1) (fun _ => -1) 0 = 0) by (unfold z; simpl; ring).
  assert (Ha : a 1 (fun z => 1 - z) (fun _ => 1) (fun _ _ => 1) (fun _ => -1) 0 = 1) by (unfold a; rewrite Hz; ring).
  assert (Hout : out 1 1 (fun z => 1 - z) (fun _ => 1) (fun _ _ => 1) (fun _ _ => 1) (fun _ => -1) (fun _ => 0) 0 = 1)
    by (unfold out; simpl; rewrite Ha; ring).
  split; [|unfold condition; rewrite Hz; lra].
  rewrite inner_product_by_neuron.
  unfold s_hidden, r_hidden, s_out, delta, backed, leverage_out, leverage_hidden. cbn [sum].
  rewrite Hz, Ha, Hout. rewrite !stab_abs, Rabs_R0, Rabs_R1.
  destruct (sgn_cases 0) as [[_ ->]|[H _]]; [|lra]. destruct (sgn_cases 1) as [[_ ->]|[H _]]; [|lra].
  rewrite (Rabs_left (-1)) by lra. rewrite !quotient_div by lra. field.
Qed.
