(** * Ascent: LFP-0 goes uphill in ReLU-like networks, with every step that is not too large

    g: the gradient dJ/dw of an objective to be maximised; d_k = |w_k| g_k: LFP's direction (Equivalence.v). *)

From LFP Require Import sums.Sums sums.Network equivalence.Equivalence equivalence.Derivative.

(** <d, g> = sum |w| g^2: the objective's rise per unit of a small step. *)
Definition rise (P : nat) (w g : vector) : R := sum P (fun k => Rabs (w k) * g k ^ 2).

Section Direction.
  Context (P : nat) (w g d : vector).
  Context (lfp : forall k, (k < P)%nat -> d k = Rabs (w k) * g k).

  (** <d, g> = sum |w| g^2. *)
  Theorem direction_times_gradient : sum P (fun k => d k * g k) = rise P w g.
  Proof. apply sum_ext; intros k Hk. rewrite lfp by assumption. ring. Qed.

  Lemma rise_terms_nonneg k : (k < P)%nat -> 0 <= Rabs (w k) * g k ^ 2.
  Proof. intros _. apply Rmult_le_pos; [apply Rabs_pos|apply square_nonneg]. Qed.

  (** <d, g> >= 0. *)
  Theorem direction_is_uphill : 0 <= sum P (fun k => d k * g k).
  Proof. rewrite direction_times_gradient. apply sum_nonneg. exact rise_terms_nonneg. Qed.

  (** <d, g> = 0 exactly where each parameter is 0 or has gradient 0 ... *)
  Theorem level_exactly_where_each_weight_or_gradient_is_zero :
    sum P (fun k => d k * g k) = 0 <-> forall k, (k < P)%nat -> w k = 0 \/ g k = 0.
  Proof.
    rewrite direction_times_gradient. split.
    - intros H k Hk. pose proof (sum_nonneg_zero _ _ rise_terms_nonneg H k Hk) as H0. simpl in H0.
      destruct (Rmult_integral _ _ H0) as [Hw|Hg].
      + left. destruct (Req_dec (w k) 0) as [E|E]; [assumption|]. apply Rabs_no_R0 in E. contradiction.
      + right. apply Rmult_integral in Hg. destruct Hg as [Hg|Hg]; [assumption|].
        apply Rmult_integral in Hg. destruct Hg; [assumption|lra].
    - intros H. apply sum_zero; intros k Hk.
      destruct (H k Hk) as [E|E]; rewrite E; [rewrite Rabs_R0|]; ring.
  Qed.

  (** ... which is exactly where LFP itself is at rest: with nonzero weights, only where the gradient is 0. *)
  Theorem level_exactly_where_lfp_is_at_rest :
    sum P (fun k => d k * g k) = 0 <-> forall k, (k < P)%nat -> d k = 0.
  Proof.
    rewrite level_exactly_where_each_weight_or_gradient_is_zero. split; intros H k Hk.
    - rewrite lfp by assumption. destruct (H k Hk) as [E|E]; rewrite E; [rewrite Rabs_R0|]; ring.
    - pose proof (H k Hk) as H0. rewrite lfp in H0 by assumption.
      apply Rmult_integral in H0. destruct H0 as [E|E]; [|right; assumption].
      left. destruct (Req_dec (w k) 0) as [E'|E']; [assumption|]. apply Rabs_no_R0 in E'. contradiction.
  Qed.
End Direction.

(** The same for networks: for a batch through a ReLU-like network of any depth, LFP-0's feedback d and the gradient g
    have <d, g> = sum |w| g^2 >= 0, and it is 0 only where each parameter is 0 or has gradient 0. *)
Theorem lfp_0_is_uphill {n m} (N : net n m) (samples : nat) (x dJ r : nat -> vector) :
  (forall s, (s < samples)%nat ->
     homogeneous_at N (x s) /\ forall j, (j < m)%nat -> r s j = forward N (x s) j * dJ s j) ->
  let d k := sum samples (fun s => parameter_feedback N (x s) (r s) k) in
  let g k := sum samples (fun s => gradient N (x s) (dJ s) k) in
  sum (size N) (fun k => d k * g k) = rise (size N) (parameter N) g
  /\ 0 <= sum (size N) (fun k => d k * g k)
  /\ (sum (size N) (fun k => d k * g k) = 0 <-> forall k, (k < size N)%nat -> parameter N k = 0 \/ g k = 0).
Proof.
  intros H d g.
  assert (Hd : forall k, (k < size N)%nat -> d k = Rabs (parameter N k) * g k)
    by (intros k _; apply lfp_0_is_absolute_weight_times_gradient_in_a_batch; assumption).
  split; [|split].
  - apply direction_times_gradient; exact Hd.
  - apply direction_is_uphill with (w := parameter N); exact Hd.
  - apply level_exactly_where_each_weight_or_gradient_is_zero; exact Hd.
Qed.

(** In terms of derivatives alone: move all parameters along LFP-0's feedback d. Then the objective of the batch rises,
    at t = 0, at the rate sum |w| g^2 (where the network is differentiable). *)
Theorem the_objective_rises_along_lfp_0 {n m} (N : net n m) samples (x : nat -> vector) (J : nat -> vector -> R)
  (dJ r : nat -> vector) :
  (forall s, (s < samples)%nat ->
     homogeneous_at N (x s) /\ smooth_at N (x s) /\ has_gradient m (J s) (forward N (x s)) (dJ s)
     /\ forall j, (j < m)%nat -> r s j = forward N (x s) j * dJ s j) ->
  let d k := sum samples (fun s => parameter_feedback N (x s) (r s) k) in
  let g k := sum samples (fun s => gradient N (x s) (dJ s) k) in
  derivable_pt_lim (fun t => sum samples (fun s => J s (forward (shifted N d t) (x s)))) 0
    (rise (size N) (parameter N) g).
Proof.
  intros H d g.
  replace (rise (size N) (parameter N) g) with (sum (size N) (fun k => g k * d k)).
  - apply gradient_of_the_objective. intros s Hs. destruct (H s Hs) as [_ [Hsmooth [HJ _]]]. split; assumption.
  - rewrite (sum_ext (size N) _ (fun k => d k * g k)) by (intros; ring).
    apply lfp_0_is_uphill. intros s Hs. destruct (H s Hs) as [Hom [_ [_ Hr]]]. split; assumption.
Qed.

(** ** How large a step

    [before], [after]: J at w and at w + lr d. Hypothesis, which an L-smooth J satisfies along the segment between them:
    J (w + v) >= J (w) + <g, v> - L/2 |v|^2. All |w_k| <= M. *)
Section Step.
  Context (P : nat) (w g : vector) (before after lr L M : R).
  Context (L_nonneg : 0 <= L) (lr_nonneg : 0 <= lr).
  Context (bounded : forall k, (k < P)%nat -> Rabs (w k) <= M).
  Let d (k : nat) : R := Rabs (w k) * g k.
  Context (smooth : after >= before + sum P (fun k => g k * (lr * d k)) - L / 2 * sum P (fun k => (lr * d k) ^ 2)).

  Lemma length_of_direction : sum P (fun k => (lr * d k) ^ 2) <= lr ^ 2 * (M * rise P w g).
  Proof.
    unfold rise. rewrite <- sum_scale, <- sum_scale. apply sum_le; intros k Hk. unfold d.
    replace ((lr * (Rabs (w k) * g k)) ^ 2) with (lr ^ 2 * (Rabs (w k) * (Rabs (w k) * g k ^ 2))) by ring.
    apply Rmult_le_compat_l; [apply square_nonneg|].
    apply Rmult_le_compat_r; [|apply bounded; assumption].
    apply Rmult_le_pos; [apply Rabs_pos|apply square_nonneg].
  Qed.

  (** J rises by at least lr (1 - lr L M / 2) sum |w| g^2. *)
  Theorem rise_of_a_step : after - before >= lr * (1 - lr * L * M / 2) * rise P w g.
  Proof.
    pose proof length_of_direction as Hlen.
    assert (Hfirst : sum P (fun k => g k * (lr * d k)) = lr * rise P w g).
    { unfold rise. rewrite <- sum_scale. apply sum_ext; intros k _. unfold d. ring. }
    assert (L / 2 * sum P (fun k => (lr * d k) ^ 2) <= L / 2 * (lr ^ 2 * (M * rise P w g)))
      by (apply Rmult_le_compat_l; lra).
    rewrite Hfirst in smooth.
    replace (lr * (1 - lr * L * M / 2) * rise P w g)
      with (lr * rise P w g - L / 2 * (lr ^ 2 * (M * rise P w g))) by field.
    lra.
  Qed.

  (** For every lr < 2 / (L M), J does not fall, and it rises unless each parameter is 0 or has gradient 0. *)
  Theorem a_step_does_not_fall : lr * L * M <= 2 -> before <= after.
  Proof.
    intros H. pose proof rise_of_a_step.
    assert (0 <= rise P w g) by (apply sum_nonneg; intros; apply Rmult_le_pos; [apply Rabs_pos|apply square_nonneg]).
    assert (0 <= lr * (1 - lr * L * M / 2) * rise P w g)
      by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|assumption]).
    lra.
  Qed.

  Theorem a_step_rises k :
    0 < lr -> lr * L * M < 2 -> (k < P)%nat -> w k <> 0 -> g k <> 0 -> before < after.
  Proof.
    intros Hlr H Hk Hw Hg. pose proof rise_of_a_step.
    assert (0 < rise P w g).
    { apply sum_pos with (k := k); [intros; apply Rmult_le_pos; [apply Rabs_pos|apply square_nonneg]|assumption|].
      apply Rmult_lt_0_compat; [apply Rabs_pos_lt; assumption|]. apply square_pos; assumption. }
    assert (0 < lr * (1 - lr * L * M / 2) * rise P w g)
      by (apply Rmult_lt_0_compat; [apply Rmult_lt_0_compat; lra|assumption]).
    lra.
  Qed.
End Step.

(** ** How fast: after K steps at lr = 1/(L M), the smallest sum |w| g^2 met is at most 2 L M (J* - J_0) / K *)

(** The smallest of f 0, ..., f (K - 1), for K >= 1. *)
Fixpoint least (f : vector) (K : nat) : R :=
  match K with
  | O | 1%nat => f 0%nat
  | S K' => Rmin (least f K') (f K')
  end.

Lemma least_step f K : (1 <= K)%nat -> least f (S K) = Rmin (least f K) (f K).
Proof. intros H. destruct K; [lia|]. reflexivity. Qed.

Lemma least_is_reached f K : (1 <= K)%nat -> exists k, (k < K)%nat /\ least f K = f k.
Proof.
  intros H. induction H as [|K HK [k [Hk IH]]]; [exists 0%nat; split; [lia|reflexivity]|].
  rewrite least_step by assumption. unfold Rmin. destruct Rle_dec; [exists k|exists K]; split; (lia || auto).
Qed.

Lemma least_is_least f K : (1 <= K)%nat -> forall k, (k < K)%nat -> least f K <= f k.
Proof.
  intros H. induction H as [|K HK IH]; intros k Hk.
  - replace k with 0%nat by lia. simpl. lra.
  - rewrite least_step by assumption. destruct (Nat.eq_dec k K) as [->|Hne]; [apply Rmin_r|].
    apply Rle_trans with (1 := Rmin_l _ _). apply IH. lia.
Qed.

(** The smallest is at most the mean. *)
Lemma least_le_mean f K : (1 <= K)%nat -> INR K * least f K <= sum K f.
Proof. intros H. rewrite <- sum_const. apply sum_le. intros k Hk. apply least_is_least; assumption. Qed.

Section Rate.
  Context (J S : vector) (L M best : R) (K : nat).
  (** J k: the objective before step k. S k: sum |w| g^2 there. K: how many steps. best: J is not above it. *)
  Context (L_pos : 0 < L) (M_pos : 0 < M).
  Context (each_step : forall k, (k < K)%nat -> J (k + 1)%nat - J k >= S k / (2 * L * M)).
  Context (no_better : J K <= best).

  Lemma rises_add_up n : (n <= K)%nat -> sum n S <= 2 * L * M * (J n - J 0%nat).
  Proof.
    assert (H2LM : 0 < 2 * L * M) by (apply Rmult_lt_0_compat; [lra|assumption]).
    induction n as [|n IH]; intros Hn; simpl; [lra|]. specialize (IH ltac:(lia)).
    pose proof (each_step n ltac:(lia)) as H. rewrite Nat.add_1_r in H.
    assert (S n <= 2 * L * M * (J (Datatypes.S n) - J n)).
    { apply Rge_le, (Rmult_le_compat_l (2 * L * M)) in H; [|lra].
      replace (2 * L * M * (S n / (2 * L * M))) with (S n) in H by (field; lra). assumption. }
    replace (J (Datatypes.S n) - J 0%nat) with ((J (Datatypes.S n) - J n) + (J n - J 0%nat)) by ring. lra.
  Qed.

  (** min over k < K of sum |w| g^2 <= 2 L M (J* - J_0) / K. *)
  Theorem rate : (1 <= K)%nat -> least S K <= 2 * L * M * (best - J 0%nat) / INR K.
  Proof.
    intros HK. assert (0 < INR K) by (apply lt_0_INR; lia).
    pose proof (least_le_mean S K HK). pose proof (rises_add_up K (le_n K)).
    assert (H2LM : 0 < 2 * L * M) by (apply Rmult_lt_0_compat; [lra|assumption]).
    assert (2 * L * M * (J K - J 0%nat) <= 2 * L * M * (best - J 0%nat)) by (apply Rmult_le_compat_l; lra).
    apply Rmult_le_reg_l with (INR K); [assumption|].
    replace (INR K * (2 * L * M * (best - J 0%nat) / INR K)) with (2 * L * M * (best - J 0%nat)) by (field; lra).
    lra.
  Qed.
End Rate.

(** The steps of [rate] are those of [rise_of_a_step] at lr = 1/(L M), which is where its bound is largest. *)
Theorem rise_of_the_best_step P w g before after L M :
  0 < L -> 0 < M -> (forall k, (k < P)%nat -> Rabs (w k) <= M) ->
  after >= before + sum P (fun k => g k * (/ (L * M) * (Rabs (w k) * g k)))
           - L / 2 * sum P (fun k => (/ (L * M) * (Rabs (w k) * g k)) ^ 2) ->
  after - before >= rise P w g / (2 * L * M).
Proof.
  intros HL HM Hb H. assert (0 < L * M) by (apply Rmult_lt_0_compat; assumption).
  assert (0 < / (L * M)) by (apply Rinv_0_lt_compat; assumption).
  pose proof (rise_of_a_step P w g before after (/ (L * M)) L M ltac:(lra) Hb H) as Hrise.
  replace (rise P w g / (2 * L * M)) with (/ (L * M) * (1 - / (L * M) * L * M / 2) * rise P w g) by (field; lra).
  assumption.
Qed.

(** The bound lr (1 - lr L M / 2) is largest at lr = 1/(L M). *)
Theorem best_step L M lr : 0 < L -> 0 < M -> lr * (1 - lr * L * M / 2) <= / (2 * L * M).
Proof.
  intros HL HM. assert (0 < L * M) by (apply Rmult_lt_0_compat; assumption).
  assert (0 <= (1 - lr * (L * M)) ^ 2 / (2 * (L * M)))
    by (apply Rmult_le_pos; [apply square_nonneg|apply Rlt_le, Rinv_0_lt_compat; lra]).
  replace (/ (2 * L * M)) with (lr * (1 - lr * L * M / 2) + (1 - lr * (L * M)) ^ 2 / (2 * (L * M))) by (field; lra).
  lra.
Qed.

(** Put together: LFP-0 with lr = 1/(L M), w_(k+1) = w_k + lr |w_k| g_k, all weights on the way within M, the smoothness
    inequality along each of K steps, J_k the objective at w_k, J_K at most J*. Then
    min sum |w| g^2 <= 2 L M (J* - J_0) / K. *)
Theorem rate_of_lfp P (w g : nat -> vector) (J : vector) (L M best : R) (K : nat) :
  0 < L -> 0 < M -> (forall k i, (k < K)%nat -> (i < P)%nat -> Rabs (w k i) <= M) ->
  (forall k, (k < K)%nat ->
     J (k + 1)%nat >= J k + sum P (fun i => g k i * (/ (L * M) * (Rabs (w k i) * g k i)))
                      - L / 2 * sum P (fun i => (/ (L * M) * (Rabs (w k i) * g k i)) ^ 2)) ->
  J K <= best ->
  (1 <= K)%nat -> least (fun k => rise P (w k) (g k)) K <= 2 * L * M * (best - J 0%nat) / INR K.
Proof.
  intros HL HM Hbound Hsmooth Hbest HK. apply rate; [assumption..| |assumption|assumption].
  intros k Hk. apply rise_of_the_best_step; [assumption..|intros i; apply Hbound|apply Hsmooth]; assumption.
Qed.
