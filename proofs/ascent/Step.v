(** * One LFP-0 step of a network raises its objective, and how fast many steps do

    Nothing here is a free number: the step is that of the network's own feedback, the gradient is the derivative of its
    objective. Assumed of the objective is that its slope along the step is L-Lipschitz. *)

From LFP Require Import sums.Sums sums.Network sums.Rising equivalence.Equivalence equivalence.Derivative ascent.Ascent.

Section Network.
  Context {n m : nat} (samples : nat) (x : nat -> vector) (J : nat -> vector -> R).

  (** The objective of the batch, and LFP-0's feedback for the rewards r = y dJ/dy. *)
  Definition objective (N : net n m) : R := sum samples (fun s => J s (forward N (x s))).
  Definition rewarded (N : net n m) (dJ : nat -> vector) (s : nat) : vector := fun j => forward N (x s) j * dJ s j.
  Definition lfp_direction (N : net n m) (dJ : nat -> vector) : vector :=
    fun k => sum samples (fun s => parameter_feedback N (x s) (rewarded N dJ s) k).
  Definition batch_gradient (N : net n m) (dJ : nat -> vector) : vector :=
    fun k => sum samples (fun s => gradient N (x s) (dJ s) k).

  (** A ReLU-like network in the inside of a linear region, and dJ the gradient of J at its outputs. *)
  Definition fit (N : net n m) (dJ : nat -> vector) : Prop :=
    forall s, (s < samples)%nat ->
      homogeneous_at N (x s) /\ smooth_at N (x s) /\ has_gradient m (J s) (forward N (x s)) (dJ s).

  (** |d|^2 *)
  Definition squared_length (N : net n m) (d : vector) : R := sum (size N) (fun k => d k ^ 2).

  (** Along the step, t from 0 to lr, the objective has a slope, which loses at most L |d|^2 t. *)
  Definition smooth_along (N : net n m) (d : vector) (lr L : R) : Prop :=
    exists slope : R -> R,
      (forall t, 0 <= t <= lr -> derivable_pt_lim (fun t => objective (shifted N d t)) t (slope t))
      /\ forall t, 0 <= t <= lr -> slope 0 - L * squared_length N d * t <= slope t.

  Theorem one_step_raises_the_objective (N : net n m) dJ lr L M :
    let d := lfp_direction N dJ in
    fit N dJ -> 0 <= lr -> 0 <= L -> (forall k, (k < size N)%nat -> Rabs (parameter N k) <= M) ->
    smooth_along N d lr L ->
    objective (shifted N d lr) - objective N
    >= lr * (1 - lr * L * M / 2) * rise (size N) (parameter N) (batch_gradient N dJ).
  Proof.
    intros d Hfit Hlr HL HM [slope [Hslope Hlipschitz]].
    set (g := batch_gradient N dJ). set (S := rise (size N) (parameter N) g).
    assert (Hd : forall k, d k = Rabs (parameter N k) * g k).
    { intros k. apply lfp_0_is_absolute_weight_times_gradient_in_a_batch. intros s Hs. split; [apply Hfit, Hs|].
      reflexivity. }
    assert (H0 : slope 0 = S).
    { apply (uniqueness_limite (fun t => objective (shifted N d t)) 0); [apply Hslope; lra|].
      apply (the_objective_rises_along_lfp_0 N samples x J dJ (rewarded N dJ)). intros s Hs.
      destruct (Hfit s Hs) as [H1 [H2 H3]]. repeat split; auto. }
    pose proof (rise_with_a_bounded_loss_of_slope _ slope (L * squared_length N d) lr Hlr Hslope Hlipschitz) as H.
    cbv beta in H. rewrite shifted_by_nothing, H0 in H.
    assert (Hlen : squared_length N d <= M * S).
    { unfold squared_length, S, rise. rewrite <- sum_scale. apply sum_le; intros k Hk. rewrite Hd.
      replace ((Rabs (parameter N k) * g k) ^ 2) with (Rabs (parameter N k) * (Rabs (parameter N k) * g k ^ 2)) by ring.
      apply Rmult_le_compat_r; [|apply HM, Hk]. apply Rmult_le_pos; [apply Rabs_pos|apply square_nonneg]. }
    assert (L / 2 * lr ^ 2 * squared_length N d <= L / 2 * lr ^ 2 * (M * S)).
    { apply Rmult_le_compat_l; [|exact Hlen]. apply Rmult_le_pos; [lra|apply square_nonneg]. }
    fold S. nra.
  Qed.

  (** K steps, each with lr = 1/(L M), objectives at most J*: min over k of sum |w| g^2 <= 2 L M (J* - J_0) / K. *)
  Theorem rate_of_a_network (N : nat -> net n m) (dJ : nat -> nat -> vector) L M best K :
    0 < L -> 0 < M -> (1 <= K)%nat ->
    (forall k, (k < K)%nat ->
       N (k + 1)%nat = shifted (N k) (lfp_direction (N k) (dJ k)) (/ (L * M))
       /\ fit (N k) (dJ k)
       /\ (forall i, (i < size (N k))%nat -> Rabs (parameter (N k) i) <= M)
       /\ smooth_along (N k) (lfp_direction (N k) (dJ k)) (/ (L * M)) L) ->
    objective (N K) <= best ->
    least (fun k => rise (size (N k)) (parameter (N k)) (batch_gradient (N k) (dJ k))) K
    <= 2 * L * M * (best - objective (N 0%nat)) / INR K.
  Proof.
    intros HL HM HK Hsteps Hbest. assert (0 < L * M) by (apply Rmult_lt_0_compat; assumption).
    assert (0 < / (L * M)) by (apply Rinv_0_lt_compat; assumption).
    apply (rate (fun k => objective (N k))); [assumption..| |assumption|assumption].
    intros k Hk. destruct (Hsteps k Hk) as [-> [Hfit [Hbound Hsmooth]]].
    pose proof (one_step_raises_the_objective (N k) (dJ k) (/ (L * M)) L M Hfit ltac:(lra) ltac:(lra) Hbound Hsmooth)
      as H1. cbv zeta in H1.
    replace (/ (L * M) * (1 - / (L * M) * L * M / 2)) with (/ (2 * L * M)) in H1 by (field; lra).
    unfold Rdiv. rewrite (Rmult_comm (rise _ _ _)). exact H1.
  Qed.
End Network.

(** ** Beyond 2 / (L M) there is no such promise: for every larger rate, J = -(t - w x)^2 / 2 at w = M = 1 falls

    L = x^2, g = (t - x) x, and the step is lr g: with lr L > 2 the error grows. *)
Theorem every_larger_rate_falls x t lr : t <> x -> 2 < lr * x ^ 2 ->
  let g := (t - 1 * x) * x in
  - (t - (1 + lr * (Rabs 1 * g)) * x) ^ 2 / 2 < - (t - 1 * x) ^ 2 / 2.
Proof.
  intros Hne Hlr g. rewrite Rabs_R1. unfold g. set (q := lr * x ^ 2) in *.
  replace (t - (1 + lr * (1 * ((t - 1 * x) * x))) * x) with ((t - x) * (1 - q)) by (unfold q; ring).
  assert (0 < (t - x) ^ 2) by (apply square_pos; lra).
  assert (1 < (1 - q) ^ 2) by nra.
  replace (((t - x) * (1 - q)) ^ 2) with ((t - x) ^ 2 * (1 - q) ^ 2) by ring. nra.
Qed.
