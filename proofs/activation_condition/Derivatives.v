(** * The derivatives in ActivationCondition.v are the derivatives

    (Those of ReLU-like functions: two_slopes_derivative_is_the_derivative in Equivalence.v.) *)

From LFP Require Import sums.Sums equivalence.Equivalence activation_condition.ActivationCondition.

Lemma same_function f g z l : (forall x, f x = g x) -> derivable_pt_lim f z l -> derivable_pt_lim g z l.
Proof. intros H. apply derivable_pt_lim_near with (delta := 1); [lra|]. intros; apply H. Qed.

(** Step: 0 wherever z <> 0. *)
Theorem derivative_of_step z : z <> 0 -> derivable_pt_lim step z 0.
Proof.
  intros Hz. apply same_function with (f := fun x => step x * 1); [intros; ring|].
  pose proof (Rabs_pos_lt z Hz).
  apply derivable_pt_lim_near with (f := fct_cte (step z)) (delta := Rabs z); [assumption| |].
  2: apply derivable_pt_lim_const.
  intros x Hx. unfold fct_cte, step. rewrite Rmult_1_r.
  destruct (Rlt_dec 0 z); [rewrite (Rabs_right z) in Hx by lra|rewrite (Rabs_left z) in Hx by lra];
    apply Rabs_def2 in Hx; destruct (Rlt_dec 0 x); lra.
Qed.

(** Tanh: 1 / cosh^2. *)
Lemma cosh_sinh z : cosh z ^ 2 - sinh z ^ 2 = 1.
Proof.
  unfold cosh, sinh. assert (H : exp z * exp (- z) = 1) by (rewrite <- exp_plus, Rplus_opp_r; apply exp_0).
  replace (((exp z + exp (- z)) / 2) ^ 2 - ((exp z - exp (- z)) / 2) ^ 2) with (exp z * exp (- z)) by field. exact H.
Qed.

Theorem derivative_of_tanh z : derivable_pt_lim tanh z (tanh_derivative z).
Proof.
  pose proof (cosh_pos z) as Hc.
  apply same_function with (f := (sinh / cosh)%F); [reflexivity|]. unfold tanh_derivative.
  replace (1 / cosh z ^ 2) with ((cosh z * cosh z - sinh z * sinh z) / Rsqr (cosh z)).
  - apply derivable_pt_lim_div; [apply derivable_pt_lim_sinh|apply derivable_pt_lim_cosh|lra].
  - rewrite <- (cosh_sinh z) at 1. unfold Rsqr. field. lra.
Qed.

(** Sigmoid: sigmoid (1 - sigmoid). *)
Lemma derivative_of_exp_minus z : derivable_pt_lim (fun x => exp (- x)) z (- exp (- z)).
Proof.
  replace (- exp (- z)) with (exp (- z) * (- (1))) by ring.
  apply (derivable_pt_lim_comp (fun x => - x) exp); [|apply derivable_pt_lim_exp].
  apply (derivable_pt_lim_opp id), derivable_pt_lim_id.
Qed.

Theorem derivative_of_sigmoid z : derivable_pt_lim sigmoid z (sigmoid_derivative z).
Proof.
  pose proof (exp_pos (- z)) as He.
  apply same_function with (f := (fct_cte 1 / (fct_cte 1 + (fun x => exp (- x))))%F); [reflexivity|].
  replace (sigmoid_derivative z)
    with ((0 * (fct_cte 1 + (fun x => exp (- x)))%F z - (0 + - exp (- z)) * fct_cte 1 z)
          / Rsqr ((fct_cte 1 + (fun x => exp (- x)))%F z)).
  - apply derivable_pt_lim_div.
    + apply derivable_pt_lim_const.
    + apply derivable_pt_lim_plus; [apply derivable_pt_lim_const|apply derivative_of_exp_minus].
    + unfold plus_fct, fct_cte. lra.
  - unfold sigmoid_derivative, sigmoid, plus_fct, fct_cte, Rsqr. field. lra.
Qed.

(** SiLU: sigmoid + z sigmoid'. *)
Theorem derivative_of_silu z : derivable_pt_lim silu z (silu_derivative z).
Proof.
  apply same_function with (f := (id * sigmoid)%F); [reflexivity|].
  replace (silu_derivative z) with (1 * sigmoid z + id z * sigmoid_derivative z) by (unfold silu_derivative, id; ring).
  apply derivable_pt_lim_mult; [apply derivable_pt_lim_id|apply derivative_of_sigmoid].
Qed.

(** ELU, z <> 0. *)
Theorem derivative_of_elu alpha z : z <> 0 -> derivable_pt_lim (elu alpha) z (elu_derivative alpha z).
Proof.
  intros Hz. pose proof (Rabs_pos_lt z Hz). unfold elu_derivative. destruct (Rlt_dec 0 z) as [Hp|Hn].
  - apply derivable_pt_lim_near with (f := id) (delta := Rabs z); [assumption| |apply derivable_pt_lim_id].
    intros x Hx. rewrite (Rabs_right z) in Hx by lra. apply Rabs_def2 in Hx.
    unfold id, elu. destruct (Rlt_dec 0 x); lra.
  - apply derivable_pt_lim_near with (f := mult_real_fct alpha (exp - fct_cte 1)%F) (delta := Rabs z); [assumption| |].
    + intros x Hx. rewrite (Rabs_left z) in Hx by lra. apply Rabs_def2 in Hx.
      unfold mult_real_fct, minus_fct, fct_cte, elu. destruct (Rlt_dec 0 x); lra.
    + apply derivable_pt_lim_scal. rewrite <- (Rminus_0_r (exp z)).
      apply derivable_pt_lim_minus; [apply derivable_pt_lim_exp|apply derivable_pt_lim_const].
Qed.

(** Softsign: 1 / (1 + |z|)^2, also at 0. *)
Lemma derivative_of_quotient_by_1_plus q z : 1 + q * z <> 0 ->
  derivable_pt_lim (fun x => x / (1 + q * x)) z (1 / (1 + q * z) ^ 2).
Proof.
  intros H. apply same_function with (f := (id / (fct_cte 1 + mult_real_fct q id))%F); [reflexivity|].
  replace (1 / (1 + q * z) ^ 2)
    with ((1 * (fct_cte 1 + mult_real_fct q id)%F z - (0 + q * 1) * id z)
          / Rsqr ((fct_cte 1 + mult_real_fct q id)%F z)).
  - apply derivable_pt_lim_div; [apply derivable_pt_lim_id| |exact H].
    apply derivable_pt_lim_plus; [apply derivable_pt_lim_const|apply derivable_pt_lim_scal, derivable_pt_lim_id].
  - unfold plus_fct, fct_cte, mult_real_fct, id, Rsqr. field. exact H.
Qed.

Theorem derivative_of_softsign z : derivable_pt_lim softsign z (softsign_derivative z).
Proof.
  destruct (Req_dec z 0) as [->|Hz].
  - intros eps Heps. exists (mkposreal eps Heps). intros h Hh Hlt. simpl in Hlt.
    unfold softsign_derivative, softsign. rewrite Rplus_0_l, Rabs_R0. pose proof (softsign_positive_part h).
    replace ((h / (1 + Rabs h) - 0 / (1 + 0)) / h - 1 / (1 + 0) ^ 2) with (- (Rabs h / (1 + Rabs h))) by (field; lra).
    rewrite Rabs_Ropp. pose proof (Rabs_pos h).
    assert (0 <= Rabs h / (1 + Rabs h)) by (apply Rmult_le_pos; [lra|apply Rlt_le, Rinv_0_lt_compat; lra]).
    rewrite Rabs_right by lra. apply Rle_lt_trans with (Rabs h); [|assumption].
    apply Rmult_le_reg_r with (1 + Rabs h); [lra|].
    replace (Rabs h / (1 + Rabs h) * (1 + Rabs h)) with (Rabs h) by (field; lra).
    assert (0 <= Rabs h * Rabs h) by (apply Rmult_le_pos; lra). lra.
  - pose proof (Rabs_pos_lt z Hz). unfold softsign_derivative. destruct (Rlt_dec 0 z) as [Hp|Hn].
    + rewrite (Rabs_right z) by lra. rewrite <- (Rmult_1_l z) at 2.
      apply derivable_pt_lim_near with (f := fun x => x / (1 + 1 * x)) (delta := Rabs z); [assumption| |].
      * intros x Hx. rewrite (Rabs_right z) in Hx by lra. apply Rabs_def2 in Hx.
        unfold softsign. rewrite (Rabs_right x) by lra. f_equal. ring.
      * apply derivative_of_quotient_by_1_plus. lra.
    + rewrite (Rabs_left z) by lra. replace (- z) with (-1 * z) by ring.
      apply derivable_pt_lim_near with (f := fun x => x / (1 + -1 * x)) (delta := Rabs z); [assumption| |].
      * intros x Hx. rewrite (Rabs_left z) in Hx by lra. apply Rabs_def2 in Hx.
        unfold softsign. rewrite (Rabs_left x) by lra. f_equal. ring.
      * apply derivative_of_quotient_by_1_plus. lra.
Qed.
