(** * The derivative of a logarithm, from e^x >= 1 + x, and of softplus

    A logarithm is told here as a function L with e^L = E. (The standard library's derivative of ln rests on the law of
    excluded middle as an axiom.) *)

From LFP Require Import sums.Sums sums.Rising equivalence.Equivalence equivalence.Derivative
  activation_condition.ActivationCondition activation_condition.Derivatives.

Lemma exp_minus_above_its_tangent x : 0 <= x -> 1 - x <= exp (- x).
Proof.
  intros Hx.
  pose proof (nonnegative_derivative_does_not_fall (fun t => exp (- t) - (1 - t)) (fun t => - exp (- t) - (0 - 1)) 0 x Hx)
    as H. cbv beta in H. rewrite Ropp_0, exp_0 in H.
  assert (1 - (1 - 0) <= exp (- x) - (1 - x)); [|lra]. apply H.
  - intros t _. apply (derivable_pt_lim_minus (fun t => exp (- t)) (fun t => 1 - t)); [apply derivative_of_exp_minus|].
    apply (derivable_pt_lim_minus (fct_cte 1) id); [apply derivable_pt_lim_const|apply derivable_pt_lim_id].
  - intros t [Ht _]. destruct Ht as [Ht|<-]; [|rewrite Ropp_0, exp_0; lra].
    assert (exp (- t) < exp 0) by (apply exp_rises; lra). rewrite exp_0 in *. lra.
Qed.

Lemma exp_above_1_plus x : 1 + x <= exp x.
Proof.
  destruct (Rle_dec 0 x) as [H|H]; [apply exp_above_its_tangent, H|].
  pose proof (exp_minus_above_its_tangent (- x) ltac:(lra)) as H'. rewrite Ropp_involutive in H'. lra.
Qed.

(** Between two functions that touch it at 0 with one derivative, a function has that derivative. *)
Lemma squeezed lower f upper l :
  lower 0 = f 0 -> upper 0 = f 0 -> (forall t, lower t <= f t <= upper t) ->
  derivative_at_0 lower l -> derivative_at_0 upper l -> derivative_at_0 f l.
Proof.
  intros Hl Hu Hbetween Dl Du eps Heps. destruct (Dl eps Heps) as [[d1 Hd1] H1]. destruct (Du eps Heps) as [[d2 Hd2] H2].
  simpl in H1, H2. assert (Hmin : 0 < Rmin d1 d2) by (apply Rmin_glb_lt; assumption).
  exists (mkposreal _ Hmin). intros h Hh Hlt. simpl in Hlt. pose proof (Rmin_l d1 d2). pose proof (Rmin_r d1 d2).
  specialize (H1 h Hh ltac:(lra)). specialize (H2 h Hh ltac:(lra)). rewrite Rplus_0_l in *.
  rewrite Hl in H1. rewrite Hu in H2. destruct (Hbetween h) as [B1 B2].
  apply Rabs_def2 in H1, H2. apply Rabs_def1; destruct (Rlt_dec 0 h) as [Hpos|Hneg].
  - assert ((f h - f 0) / h <= (upper h - f 0) / h); [|lra].
    apply Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat, Hpos|lra].
  - assert ((f h - f 0) / h <= (lower h - f 0) / h); [|lra].
    assert (/ h < 0) by (apply Rinv_lt_0_compat; lra). unfold Rdiv. nra.
  - assert ((lower h - f 0) / h <= (f h - f 0) / h); [|lra].
    apply Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat, Hpos|lra].
  - assert ((upper h - f 0) / h <= (f h - f 0) / h); [|lra].
    assert (/ h < 0) by (apply Rinv_lt_0_compat; lra). unfold Rdiv. nra.
Qed.

(** If e^L = E, then L' = E' / E. *)
Lemma derivative_of_a_logarithm L E E' :
  (forall t, exp (L t) = E t) -> derivative_at_0 E E' -> derivative_at_0 L (E' / E 0).
Proof.
  intros HL HE. assert (Hpos : forall t, 0 < E t) by (intros t; rewrite <- HL; apply exp_pos).
  pose proof (Hpos 0) as H0.
  apply (squeezed (fun t => L 0 + (1 + - E 0 * / E t)) L (fun t => L 0 + (/ E 0 * E t + -1))).
  - field. lra.
  - field. lra.
  - intros t. pose proof (Hpos t). split.
    + pose proof (exp_above_1_plus (L 0 - L t)) as H1. unfold Rminus in H1. rewrite exp_plus, exp_Ropp, !HL in H1. lra.
    + pose proof (exp_above_1_plus (L t - L 0)) as H1. unfold Rminus in H1. rewrite exp_plus, exp_Ropp, !HL in H1. lra.
  - replace (E' / E 0) with (0 + (0 + - E 0 * (- E' / E 0 ^ 2))) by (field; lra).
    apply d_plus; [apply d_const|]. apply d_plus; [apply d_const|]. apply d_scale, d_inverse; [lra|exact HE].
  - replace (E' / E 0) with (0 + (/ E 0 * E' + 0)) by (field; lra).
    apply d_plus; [apply d_const|]. apply d_plus; [apply d_scale, HE|apply d_const].
Qed.

(** Softplus, e^softplus(z) = 1 + e^z, has a derivative, and it is the sigmoid. *)
Theorem softplus_has_the_sigmoid_as_derivative softplus z :
  (forall x, exp (softplus x) = 1 + exp x) -> derivable_pt_lim softplus z (sigmoid z).
Proof.
  intros Hdef. pose proof (exp_pos z) as He.
  assert (D : derivative_at_0 (fun t => softplus (z + t)) (exp z / (1 + exp (z + 0)))).
  { apply (derivative_of_a_logarithm (fun t => softplus (z + t)) (fun t => 1 + exp (z + t))); [intros; apply Hdef|].
    replace (exp z) with (0 + exp z * 1) by ring. apply d_plus; [apply d_const|].
    apply d_same with (f := fun t => exp (z + t * 1)); [intros t; f_equal; ring|].
    apply (derivative_along exp z (exp z) 1), derivable_pt_lim_exp. }
  replace (sigmoid z) with (exp z / (1 + exp (z + 0))).
  - intros eps Heps. destruct (D eps Heps) as [delta H]. exists delta. intros h Hh Hlt. specialize (H h Hh Hlt).
    cbv beta in H. rewrite Rplus_0_l, !Rplus_0_r in H. rewrite Rplus_0_r. exact H.
  - unfold sigmoid. rewrite Rplus_0_r, exp_Ropp. field. lra.
Qed.
