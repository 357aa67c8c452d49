(** * When a reweighted sum keeps its sign

    LFP differs from the gradient by positive factors inside sums: over outputs, samples, paths. How much may the
    factors differ before the sum's sign can turn? As much as the sum's terms do not cancel, and no more. *)

From LFP Require Import sums.Sums.

Section Reweighting.
  Context (n : nat) (p factor : vector) (lo hi : R).

  (** Factors in [lo, hi] keep the sign of the sum if (hi - lo) sum |p| <= (hi + lo) |sum p|. *)
  Theorem reweighting_keeps_the_sign :
    (forall k, (k < n)%nat -> lo <= factor k <= hi) ->
    (hi - lo) * sum n (fun k => Rabs (p k)) <= (hi + lo) * Rabs (sum n p) ->
    0 <= sum n (fun k => factor k * p k) * sum n p.
  Proof.
    intros Hf Hsmall. set (G := sum n p) in *. set (S := sum n (fun k => factor k * p k)).
    set (E := sum n (fun k => (2 * factor k - (hi + lo)) * p k)).
    assert (HS : 2 * S = (hi + lo) * G + E).
    { unfold S, G, E. rewrite <- !sum_scale, <- sum_plus. apply sum_ext; intros k _. ring. }
    assert (HE : Rabs E <= (hi + lo) * Rabs G).
    { apply Rle_trans with (2 := Hsmall). apply Rle_trans with (1 := sum_abs _ _).
      rewrite <- sum_scale. apply sum_le; intros k Hk. rewrite Rabs_mult.
      apply Rmult_le_compat_r; [apply Rabs_pos|]. specialize (Hf k Hk). apply Rabs_le. lra. }
    assert (HEG : - (E * G) <= (hi + lo) * Rabs G * Rabs G).
    { apply Rle_trans with (Rabs E * Rabs G); [|apply Rmult_le_compat_r; [apply Rabs_pos|assumption]].
      rewrite <- Rabs_mult, <- Rabs_Ropp. apply Rle_abs. }
    assert (HGG : Rabs G * Rabs G = G * G)
      by (rewrite <- Rabs_mult; apply Rabs_right; pose proof (square_nonneg G); simpl in *; lra).
    replace ((hi + lo) * Rabs G * Rabs G) with ((hi + lo) * (G * G)) in HEG by (rewrite <- HGG; ring).
    assert (2 * (S * G) = (hi + lo) * (G * G) + E * G) by (rewrite <- Rmult_assoc, HS; ring).
    lra.
  Qed.

  (** The bound is sharp: beyond it, factors lo on the terms that agree with the sum and hi on the others turn it. *)
  Theorem beyond_the_bound_the_sign_can_turn :
    0 < sum n p ->
    (hi + lo) * sum n p < (hi - lo) * sum n (fun k => Rabs (p k)) ->
    let worst k := if Rle_dec 0 (p k) then lo else hi in
    sum n (fun k => worst k * p k) * sum n p < 0.
  Proof.
    intros HG Hlarge worst.
    assert (H : 2 * sum n (fun k => worst k * p k) = (hi + lo) * sum n p - (hi - lo) * sum n (fun k => Rabs (p k))).
    { rewrite <- !sum_scale, <- sum_minus. apply sum_ext; intros k _. unfold worst.
      destruct (Rle_dec 0 (p k)); [rewrite Rabs_right by lra|rewrite Rabs_left by lra]; ring. }
    assert (Hneg : 0 < - sum n (fun k => worst k * p k)) by lra.
    pose proof (Rmult_lt_0_compat _ _ Hneg HG). lra.
  Qed.
End Reweighting.

(** Terms of one sign: any factors >= 0 keep the sign. *)
Theorem terms_of_one_sign n p factor :
  (forall k, (k < n)%nat -> 0 <= factor k) ->
  (forall k l, (k < n)%nat -> (l < n)%nat -> 0 <= p k * p l) ->
  0 <= sum n (fun k => factor k * p k) * sum n p.
Proof.
  intros Hf Hp. rewrite <- sum_scale. apply sum_nonneg; intros l Hl.
  rewrite <- sum_scale_right. apply sum_nonneg; intros k Hk.
  replace (factor k * p k * p l) with (factor k * (p k * p l)) by ring.
  apply Rmult_le_pos; [apply Hf|apply Hp]; assumption.
Qed.

(** Equal factors >= 0 keep the sign. *)
Theorem equal_factors n p factor q :
  0 <= q -> (forall k, (k < n)%nat -> factor k = q) -> 0 <= sum n (fun k => factor k * p k) * sum n p.
Proof.
  intros Hq Hf. rewrite (sum_ext n _ (fun k => q * p k)) by (intros; rewrite Hf by assumption; reflexivity).
  rewrite sum_scale, Rmult_assoc. apply Rmult_le_pos; [assumption|].
  replace (sum n p * sum n p) with (sum n p ^ 2) by ring. apply square_nonneg.
Qed.
