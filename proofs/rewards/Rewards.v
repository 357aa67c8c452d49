(** * The canonical rewards are r = z dJ/dz: softmax, sigmoid, squared error

    The objectives are log-likelihoods, and a log-likelihood is told here without a logarithm: J with e^J the likelihood.
    (The standard library's derivative of the logarithm needs the law of excluded middle as an axiom.) *)

From LFP Require Import sums.Sums equivalence.Derivative activation_condition.ActivationCondition
  activation_condition.Derivatives activation_condition.Logarithm.

(** r_j = z_j dJ/dz_j *)
Definition canonical_reward (z dJ : vector) : vector := fun j => z j * dJ j.

(** ** Softmax: J the log-likelihood of the label *)

Definition softmax (m : nat) (z : vector) (j : nat) : R := exp (z j) / sum m (fun i => exp (z i)).

Lemma sum_of_exp_pos m z : (0 < m)%nat -> 0 < sum m (fun i => exp (z i)).
Proof. intros H. apply sum_pos with (k := 0%nat); [intros; apply Rlt_le, exp_pos|exact H|apply exp_pos]. Qed.

Lemma d_exp f f' : derivative_at_0 f f' -> derivative_at_0 (fun t => exp (f t)) (exp (f 0) * f').
Proof. intros H. apply (derivable_pt_lim_comp f exp); [exact H|apply derivable_pt_lim_exp]. Qed.

(** dJ/dz_j = y_j - softmax_j, y the label's one-hot form: the reward is z (y - softmax (z)). *)
Theorem softmax_has_gradient m (J : vector -> R) label z :
  (label < m)%nat -> (forall z, exp (J z) = softmax m z label) ->
  has_gradient m J z (fun j => at_index label j - softmax m z j).
Proof.
  intros Hlabel HJ Z Z' HZ HD.
  assert (Hsum : forall t, 0 < sum m (fun i => exp (Z t i))) by (intros; apply sum_of_exp_pos; lia).
  assert (Hz0 : forall i, Z 0 i = z i) by (intros; rewrite HZ; reflexivity).
  set (S := sum m (fun i => exp (z i))). set (S' := sum m (fun i => exp (z i) * Z' i)).
  assert (HS : 0 < S) by (unfold S; apply sum_of_exp_pos; lia).
  assert (DS : derivative_at_0 (fun t => sum m (fun i => exp (Z t i))) S').
  { apply (d_sum m (fun t i => exp (Z t i))). intros i Hi. rewrite <- Hz0. apply d_exp, HD, Hi. }
  assert (HS0 : sum m (fun i => exp (Z 0 i)) = S) by (apply sum_ext; intros; rewrite Hz0; reflexivity).
  pose proof (derivative_of_a_logarithm (fun t => J (Z t)) (fun t => exp (Z t label) * / sum m (fun i => exp (Z t i)))
    (exp (z label) * Z' label * / S + exp (z label) * (- S' / S ^ 2))) as H.
  replace (sum m (fun j => (at_index label j - softmax m z j) * Z' j))
    with ((exp (z label) * Z' label * / S + exp (z label) * (- S' / S ^ 2)) / (exp (Z 0 label) * / sum m (fun i => exp (Z 0 i)))).
  - apply H; [intros t; apply HJ|].
    pose proof (d_mult (fun t => exp (Z t label)) (fun t => / sum m (fun i => exp (Z t i))) _ _
      (d_exp _ _ (HD label Hlabel)) (d_inverse _ _ (Rgt_not_eq _ _ (Hsum 0)) DS)) as H1. cbv beta in H1.
    rewrite HS0, Hz0 in H1. exact H1.
  - rewrite HS0, Hz0. pose proof (exp_pos (z label)).
    rewrite (sum_ext m _ (fun j => at_index label j * Z' label - / S * (exp (z j) * Z' j))).
    + rewrite sum_minus, sum_at_index, sum_scale by exact Hlabel. fold S'. field. lra.
    + intros j _. unfold softmax. fold S. rewrite (at_index_rename Z' label j). unfold Rdiv. ring.
Qed.

(** ** Sigmoid: every output a question of its own, J the sum of the log-likelihoods *)

(** dJ/dz_j = y_j - sigmoid (z_j): the reward is z (y - sigmoid (z)). *)
Theorem sigmoid_has_gradient m (log_likelihood : nat -> R -> R) (yes : nat -> bool) z :
  (forall j u, exp (log_likelihood j u) = if yes j then sigmoid u else 1 - sigmoid u) ->
  has_gradient m (fun z => sum m (fun j => log_likelihood j (z j))) z
    (fun j => (if yes j then 1 else 0) - sigmoid (z j)).
Proof.
  intros HJ Z Z' HZ HD. apply (d_sum m (fun t j => log_likelihood j (Z t j))). intros j Hj.
  assert (Hz0 : Z 0 j = z j) by (rewrite HZ; reflexivity).
  assert (Dsigmoid : derivative_at_0 (fun t => sigmoid (Z t j)) (sigmoid_derivative (z j) * Z' j)).
  { rewrite <- Hz0. apply (derivable_pt_lim_comp (fun t => Z t j) sigmoid); [apply HD, Hj|apply derivative_of_sigmoid]. }
  destruct (sigmoid_between_0_and_1 (z j)) as [H0 H1].
  pose proof (derivative_of_a_logarithm (fun t => log_likelihood j (Z t j))) as H. specialize (HJ j). destruct (yes j).
  - specialize (H _ _ (fun t => HJ (Z t j)) Dsigmoid). cbv beta in H. rewrite Hz0 in H.
    replace ((1 - sigmoid (z j)) * Z' j) with (sigmoid_derivative (z j) * Z' j / sigmoid (z j)); [exact H|].
    unfold sigmoid_derivative. field. lra.
  - assert (D : derivative_at_0 (fun t => 1 - sigmoid (Z t j)) (0 - sigmoid_derivative (z j) * Z' j))
      by (apply (derivable_pt_lim_minus (fct_cte 1)); [apply derivable_pt_lim_const|exact Dsigmoid]).
    specialize (H _ _ (fun t => HJ (Z t j)) D). cbv beta in H. rewrite Hz0 in H.
    replace ((0 - sigmoid (z j)) * Z' j) with ((0 - sigmoid_derivative (z j) * Z' j) / (1 - sigmoid (z j))); [exact H|].
    unfold sigmoid_derivative. field. lra.
Qed.

(** Squared error: dJ/dz_j = target_j - z_j (squared_error_has_gradient): the reward is z (target - z). *)
Theorem squared_error_reward m target z j :
  has_gradient m (fun z => sum m (fun j => - (target j - z j) ^ 2 / 2)) z (fun j => target j - z j)
  /\ canonical_reward z (fun j => target j - z j) j = z j * (target j - z j).
Proof. split; [apply squared_error_has_gradient|reflexivity]. Qed.
