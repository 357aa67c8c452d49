(** * Depth and batches: how much secant and derivative may differ

    With several layers or samples the condition on the activation no longer suffices (witness_depth, witness_batch): a
    weight's gradient is a sum over paths and samples, and LFP weighs its terms by the ratios rho of secant to
    derivative that lie on each path. If all ratios lie in [m, M], a weight still moves uphill where the terms of its
    gradient do not cancel by more than the ratios differ: theta A <= |G| with theta = (M^h - m^h)/(M^h + m^h), h hidden
    layers above it, G the sum of the terms, A that of their sizes. Homogeneous networks have m = M = 1, so theta = 0
    and no condition. *)

From LFP Require Import sums.Sums sums.Reweighting.

(** ** One sum *)

(** G = sum_t g_t, S = sum_t rho_t g_t, A = sum_t |g_t|, all rho_t in [m, M]:
    2 S G >= (m + M) G^2 - (M - m) A |G|. (So S G >= 0 where (M - m) A <= (M + m) |G|: reweighting_keeps_the_sign.) *)
Theorem ratio_single n (g rho : vector) m M :
  (forall t, (t < n)%nat -> m <= rho t <= M) ->
  let G := sum n g in let S := sum n (fun t => rho t * g t) in let A := sum n (fun t => Rabs (g t)) in
  2 * (S * G) >= (m + M) * G ^ 2 - (M - m) * (A * Rabs G).
Proof.
  intros Hrho G S A. set (E := sum n (fun t => (2 * rho t - (M + m)) * g t)).
  assert (HS : 2 * S = (M + m) * G + E).
  { unfold S, G, E. rewrite <- !sum_scale, <- sum_plus. apply sum_ext; intros t _. ring. }
  assert (HE : Rabs E <= (M - m) * A).
  { apply Rle_trans with (1 := sum_abs _ _). unfold A. rewrite <- sum_scale. apply sum_le; intros t Ht.
    rewrite Rabs_mult. apply Rmult_le_compat_r; [apply Rabs_pos|]. specialize (Hrho t Ht). apply Rabs_le. lra. }
  assert (- (E * G) <= (M - m) * A * Rabs G).
  { apply Rle_trans with (Rabs E * Rabs G); [|apply Rmult_le_compat_r; [apply Rabs_pos|assumption]].
    rewrite <- Rabs_mult, <- Rabs_Ropp. apply Rle_abs. }
  replace (2 * (S * G)) with (2 * S * G) by ring. rewrite HS. simpl. lra.
Qed.

(** Over all weights, each with its own sum: <d, g> = sum_k |w_k| S_k G_k is at least
    (m + M)/2 sum_k |w_k| G_k^2 - (M - m)/2 sum_k |w_k| A_k |G_k|. *)
Corollary ratio_summed P n (w : vector) (g rho : nat -> vector) m M :
  (forall k t, (k < P)%nat -> (t < n)%nat -> m <= rho k t <= M) ->
  let G k := sum n (g k) in let S k := sum n (fun t => rho k t * g k t) in let A k := sum n (fun t => Rabs (g k t)) in
  2 * sum P (fun k => Rabs (w k) * (S k * G k))
  >= (m + M) * sum P (fun k => Rabs (w k) * G k ^ 2) - (M - m) * sum P (fun k => Rabs (w k) * (A k * Rabs (G k))).
Proof.
  intros Hrho G S A. rewrite <- !sum_scale, <- sum_minus. apply Rle_ge, sum_le; intros k Hk.
  pose proof (ratio_single n (g k) (rho k) m M (fun t Ht => Hrho k t Hk Ht)) as H. cbv zeta in H.
  fold (G k) (S k) (A k) in H. apply Rge_le, (Rmult_le_compat_l (Rabs (w k))) in H; [|apply Rabs_pos]. lra.
Qed.

(** ** Layers: the sums over paths, without listing the paths

    P and N: what the positive and the negative terms of the gradient add up to, so delta = P - N and A = P + N.
    [within B A P N s]: the terms were weighed by factors in [B, A]. *)
Definition within (B A P N s : R) : Prop := 0 <= P /\ 0 <= N /\ B * P - A * N <= s <= A * P - B * N.

(** At the outputs nothing is weighed. *)
Lemma within_at_the_start c : within 1 1 (plus c) (plus (- c)) c.
Proof.
  unfold within, plus, Rmax. destruct (Rle_dec c 0), (Rle_dec (- c) 0); lra.
Qed.

(** Sums with weights c_j of any sign: negative ones make positive terms of negative ones. *)
Definition positive_terms (n : nat) (c P N : vector) : R := sum n (fun j => plus (c j) * P j + plus (- c j) * N j).

Lemma within_a_sum n (c P N s : vector) B A :
  (forall j, (j < n)%nat -> within B A (P j) (N j) (s j)) ->
  within B A (positive_terms n c P N) (positive_terms n c N P) (sum n (fun j => c j * s j)).
Proof.
  intros H. unfold positive_terms.
  assert (Hplus : forall x, 0 <= plus x) by (intros; unfold plus; apply Rmax_r).
  assert (Hc : forall x, x = plus x - plus (- x)).
  { intros x. unfold plus, Rmax. destruct (Rle_dec x 0), (Rle_dec (- x) 0); lra. }
  split; [|split; [|split]].
  1, 2: apply sum_nonneg; intros j Hj; destruct (H j Hj) as [HP [HN _]];
    apply Rplus_le_le_0_compat; apply Rmult_le_pos; auto.
  1, 2: rewrite <- !sum_scale, <- sum_minus; apply sum_le; intros j Hj; destruct (H j Hj) as [HP [HN [Hlo Hhi]]].
  - pose proof (Rmult_le_compat_l _ _ _ (Hplus (c j)) Hlo). pose proof (Rmult_le_compat_l _ _ _ (Hplus (- c j)) Hhi).
    rewrite (Hc (c j)) at 5. lra.
  - pose proof (Rmult_le_compat_l _ _ _ (Hplus (c j)) Hhi). pose proof (Rmult_le_compat_l _ _ _ (Hplus (- c j)) Hlo).
    rewrite (Hc (c j)) at 1. lra.
Qed.

(** An activation weighs everything by its ratio. *)
Lemma within_an_activation B A P N s rho m M :
  0 <= B <= A -> 0 <= m <= rho /\ rho <= M -> within B A P N s -> within (m * B) (M * A) P N (rho * s).
Proof.
  intros HBA Hrho [HP [HN [Hlo Hhi]]]. split; [assumption|]. split; [assumption|].
  assert (HBP : 0 <= B * P) by (apply Rmult_le_pos; lra). assert (HAP : 0 <= A * P) by (apply Rmult_le_pos; lra).
  assert (HBN : 0 <= B * N) by (apply Rmult_le_pos; lra). assert (HAN : 0 <= A * N) by (apply Rmult_le_pos; lra).
  pose proof (Rmult_le_compat_l rho _ _ ltac:(lra) Hlo). pose proof (Rmult_le_compat_l rho _ _ ltac:(lra) Hhi).
  assert (m * (B * P) <= rho * (B * P)) by (apply Rmult_le_compat_r; lra).
  assert (m * (B * N) <= rho * (B * N)) by (apply Rmult_le_compat_r; lra).
  assert (rho * (A * P) <= M * (A * P)) by (apply Rmult_le_compat_r; lra).
  assert (rho * (A * N) <= M * (A * N)) by (apply Rmult_le_compat_r; lra).
  lra.
Qed.

(** One layer of LFP-0 in the recursion below: a hidden unit that gets back B = sum_j w_j s_j has s = phi(z)/z B, which
    is the ratio times phi'(z) B. *)
Theorem lfp_0_is_the_recursion_with_ratios phi slope t B : t <> 0 -> slope <> 0 ->
  quotient (phi t * B) (stab t 0) = (phi t / t / slope) * slope * B.
Proof. intros Ht Hslope. rewrite stab_zero, quotient_div by assumption. field. split; assumption. Qed.

(** Hidden layers between a unit and the outputs, the nearest first: how many units lie above this layer, with which
    weights (j above, i here), the derivative and the ratio secant / derivative of each unit i at this sample. *)
Record layer := Layer { above : nat; weight : nat -> nat -> R; slope : vector; ratio : vector }.

Section Depth.
  Context (c : vector).   (* dJ / d output *)

  (** Backpropagation with derivatives, and with secants (LFP-0). *)
  Fixpoint delta (layers : list layer) (i : nat) : R :=
    match layers with
    | [] => c i
    | l :: rest => slope l i * sum (above l) (fun j => weight l j i * delta rest j)
    end.
  Fixpoint secant (layers : list layer) (i : nat) : R :=
    match layers with
    | [] => c i
    | l :: rest => ratio l i * slope l i * sum (above l) (fun j => weight l j i * secant rest j)
    end.

  (** The positive and the negative terms of delta: (true, i), (false, i). *)
  Fixpoint terms_of_sign (positive : bool) (layers : list layer) (i : nat) : R :=
    match layers with
    | [] => plus (if positive then c i else - c i)
    | l :: rest => positive_terms (above l) (fun j => slope l i * weight l j i)
                     (terms_of_sign positive rest) (terms_of_sign (negb positive) rest)
    end.

  Lemma delta_is_positive_less_negative_terms layers : forall i,
    delta layers i = terms_of_sign true layers i - terms_of_sign false layers i.
  Proof.
    assert (Hc : forall x, x = plus x - plus (- x)).
    { intros x. unfold plus, Rmax. destruct (Rle_dec x 0), (Rle_dec (- x) 0); lra. }
    induction layers as [|l rest IH]; intros i; simpl; [apply Hc|].
    unfold positive_terms. rewrite <- sum_minus, <- sum_scale. apply sum_ext; intros j _. rewrite IH.
    rewrite <- Rmult_assoc. rewrite (Hc (slope l i * weight l j i)) at 1. ring.
  Qed.

  Context (m M : R) (range : 0 <= m <= M).
  Definition ratios_in_range (layers : list layer) : Prop := Forall (fun l => forall i, m <= ratio l i <= M) layers.

  (** With h hidden layers the terms are weighed by factors in [m^h, M^h]:
      m^h P - M^h N <= s <= M^h P - m^h N. *)
  Theorem ratio_layers layers : ratios_in_range layers -> forall i,
    within (m ^ length layers) (M ^ length layers) (terms_of_sign true layers i) (terms_of_sign false layers i)
      (secant layers i).
  Proof.
    induction layers as [|l rest IH]; intros H i; simpl; [apply within_at_the_start|].
    inversion H as [|l' rest' Hl Hrest]; subst.
    replace (ratio l i * slope l i * sum (above l) (fun j => weight l j i * secant rest j))
      with (ratio l i * sum (above l) (fun j => (slope l i * weight l j i) * secant rest j)).
    - apply within_an_activation.
      + split; [apply pow_le; lra|apply pow_incr; lra].
      + specialize (Hl i). lra.
      + apply within_a_sum. intros j _. apply IH, Hrest.
    - rewrite Rmult_assoc. f_equal. rewrite <- sum_scale. apply sum_ext; intros j _. ring.
  Qed.

  (** So a unit's s has the sign of its gradient where the terms do not cancel by more than the ratios differ:
      (M^h - m^h) A <= (M^h + m^h) |delta|, A = P + N. Its weights' d = |w| a s and g = a delta then have d g >= 0. *)
  Theorem ratio_layers_keep_the_sign layers i : ratios_in_range layers ->
    let h := length layers in
    (M ^ h - m ^ h) * (terms_of_sign true layers i + terms_of_sign false layers i)
      <= (M ^ h + m ^ h) * Rabs (delta layers i) ->
    0 <= secant layers i * delta layers i.
  Proof.
    intros H h Hsmall. destruct (ratio_layers layers H i) as [HP [HN [Hlo Hhi]]]. fold h in Hlo, Hhi.
    rewrite delta_is_positive_less_negative_terms in Hsmall |- *.
    set (P := terms_of_sign true layers i) in *. set (N := terms_of_sign false layers i) in *.
    unfold Rabs in Hsmall. destruct (Rcase_abs (P - N)) as [Hneg|Hpos].
    - replace (secant layers i * (P - N)) with (- secant layers i * - (P - N)) by ring. apply Rmult_le_pos; lra.
    - apply Rmult_le_pos; lra.
  Qed.
End Depth.

(** ** Batches: samples add up like units of a layer without activation *)

(** g = sum_n a_n delta_n, LFP's sum S = sum_n a_n s_n, each sample within its bounds: then (A_ - B_) (P + N) <=
    (A_ + B_) |g| suffices, P and N the sums of positive and negative terms over all samples. *)
Theorem ratio_batch samples (a P N s : vector) B A :
  (forall n, (n < samples)%nat -> within B A (P n) (N n) (s n)) ->
  let P_ := positive_terms samples a P N in let N_ := positive_terms samples a N P in
  let g := sum samples (fun n => a n * (P n - N n)) in
  (A - B) * (P_ + N_) <= (A + B) * Rabs g ->
  0 <= sum samples (fun n => a n * s n) * g.
Proof.
  intros H P_ N_ g Hsmall. destruct (within_a_sum samples a P N s B A H) as [HP [HN [Hlo Hhi]]].
  fold P_ N_ in Hlo, Hhi.
  assert (Hg : g = P_ - N_).
  { unfold g, P_, N_, positive_terms. rewrite <- sum_minus. apply sum_ext; intros n _.
    assert (Hc : a n = plus (a n) - plus (- a n))
      by (unfold plus, Rmax; destruct (Rle_dec (a n) 0), (Rle_dec (- a n) 0); lra).
    rewrite Hc at 1. ring. }
  rewrite Hg in *. unfold Rabs in Hsmall. destruct (Rcase_abs (P_ - N_)) as [Hneg|Hpos].
  - replace (sum samples (fun n => a n * s n) * (P_ - N_))
      with (- sum samples (fun n => a n * s n) * - (P_ - N_)) by ring.
    apply Rmult_le_pos; lra.
  - apply Rmult_le_pos; lra.
Qed.

(** Depth and batch in one: a weight of unit i with input a_n at sample n, h hidden layers above it in every sample (the
    same weights, other slopes and ratios), all ratios in [m, M]. A = P_ + N_: the sum over paths and samples. *)
Theorem ratio_layers_and_batch_keep_the_sign
  samples h (a : vector) (c : nat -> vector) (layers : nat -> list layer) i m M :
  0 <= m <= M ->
  (forall n, (n < samples)%nat -> length (layers n) = h /\ ratios_in_range m M (layers n)) ->
  let P n := terms_of_sign (c n) true (layers n) i in let N n := terms_of_sign (c n) false (layers n) i in
  let A := positive_terms samples a P N + positive_terms samples a N P in
  let g := sum samples (fun n => a n * delta (c n) (layers n) i) in
  (M ^ h - m ^ h) * A <= (M ^ h + m ^ h) * Rabs g ->
  0 <= sum samples (fun n => a n * secant (c n) (layers n) i) * g.
Proof.
  intros Hrange Hlayers P N A g Hsmall.
  assert (Hg : g = sum samples (fun n => a n * (P n - N n)))
    by (apply sum_ext; intros; rewrite delta_is_positive_less_negative_terms; reflexivity).
  rewrite Hg in *. apply ratio_batch with (B := m ^ h) (A := M ^ h); [|exact Hsmall].
  intros n Hn. destruct (Hlayers n Hn) as [<- Hin]. apply ratio_layers; assumption.
Qed.

(** Where nothing cancels (all terms of one sign: N = 0 or P = 0), any ratios >= 0 do: in particular a chain, one unit a
    layer, and one sample, at any depth under the plain condition on the activation. *)
Theorem nothing_cancels_nothing_turns B A P N s : 0 <= B <= A -> within B A P N s -> P = 0 \/ N = 0 -> 0 <= s * (P - N).
Proof.
  intros HBA [HP [HN [Hlo Hhi]]] [E|E]; rewrite E in *.
  - assert (0 <= B * N) by (apply Rmult_le_pos; lra).
    replace (s * (0 - N)) with (- s * N) by ring. apply Rmult_le_pos; lra.
  - assert (0 <= B * P) by (apply Rmult_le_pos; lra). apply Rmult_le_pos; lra.
Qed.
