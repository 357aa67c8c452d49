(** * A function whose derivative is >= 0 does not fall

    The standard library proves it by the mean value theorem, from the law of excluded middle as an axiom. Here from the
    least upper bound alone: the last point up to which f stays above f(a) - e (t - a) is b. *)

From LFP Require Import sums.Sums.

Section Rising.
  Context (f f' : R -> R) (a b : R).
  Context (ordered : a <= b).
  Context (derivative : forall t, a <= t <= b -> derivable_pt_lim f t (f' t)).
  Context (rises : forall t, a <= t <= b -> 0 <= f' t).

  Lemma almost_rising e : 0 < e -> f a - e * (b - a) <= f b.
  Proof.
    intros He. set (E := fun t => a <= t <= b /\ f a - e * (t - a) <= f t).
    assert (Ha : E a) by (unfold E; split; lra).
    destruct (completeness E) as [s [Hupper Hleast]].
    { exists b. intros t [Ht _]. lra. }
    { exists a. exact Ha. }
    assert (Has : a <= s) by (apply Hupper, Ha).
    assert (Hsb : s <= b) by (apply Hleast; intros t [Ht _]; lra).
    (* near s, f (s + h) - f s lies within (f' s +- e/2) h *)
    assert (Hnear : exists d, 0 < d /\ forall h, Rabs h < d -> Rabs (f (s + h) - f s - f' s * h) <= e / 2 * Rabs h).
    { destruct (derivative s (conj Has Hsb) (e / 2) ltac:(lra)) as [[d Hd] H]. simpl in H. exists d. split; [exact Hd|].
      intros h Hh. destruct (Req_dec h 0) as [->|Hne].
      - rewrite Rplus_0_r, Rmult_0_r, Rabs_R0.
        replace (f s - f s - 0) with 0 by ring. rewrite Rabs_R0. lra.
      - specialize (H h Hne Hh). replace (f (s + h) - f s - f' s * h) with (((f (s + h) - f s) / h - f' s) * h)
          by (field; exact Hne).
        rewrite Rabs_mult. apply Rmult_le_compat_r; [apply Rabs_pos|lra]. }
    destruct Hnear as [d [Hd Hnear]]. pose proof (rises s (conj Has Hsb)) as Hrise.
    (* s is itself such a point *)
    assert (Hs : f a - e * (s - a) <= f s).
    { destruct (Rle_dec (f a - e * (s - a)) (f s)) as [H|H]; [exact H|exfalso].
      assert (Hbound : s <= s - d / 2); [|lra]. apply Hleast. intros t [Ht Hft].
      destruct (Rle_dec t (s - d / 2)) as [Hle|Hgt]; [exact Hle|exfalso].
      assert (Hts : t <= s) by (apply Hupper; split; assumption).
      assert (Hsmall : Rabs (t - s) = s - t) by (rewrite Rabs_left1; lra).
      pose proof (Hnear (t - s) ltac:(rewrite Hsmall; lra)) as Hn. replace (s + (t - s)) with t in Hn by ring.
      rewrite Hsmall in Hn. pose proof (Rle_abs (f t - f s - f' s * (t - s))).
      assert (0 <= f' s * (s - t)) by (apply Rmult_le_pos; lra).
      assert (0 <= e * (s - t)) by (apply Rmult_le_pos; lra). lra. }
    destruct (Req_dec s b) as [<-|Hne]; [exact Hs|exfalso].
    (* and if s < b, so is a point beyond it *)
    set (h := Rmin (d / 2) (b - s)). assert (Hh : 0 < h) by (apply Rmin_glb_lt; lra).
    assert (h <= d / 2) by apply Rmin_l. assert (h <= b - s) by apply Rmin_r.
    assert (Hbeyond : s + h <= s); [|lra]. apply Hupper. split; [lra|].
    pose proof (Hnear h ltac:(rewrite Rabs_right; lra)) as Hn. rewrite (Rabs_right h) in Hn by lra.
    pose proof (Rle_abs (- (f (s + h) - f s - f' s * h))) as Habs. rewrite Rabs_Ropp in Habs.
    assert (0 <= f' s * h) by (apply Rmult_le_pos; lra). assert (0 <= e * h) by (apply Rmult_le_pos; lra). lra.
  Qed.

  Theorem nonnegative_derivative_does_not_fall : f a <= f b.
  Proof.
    destruct (Rle_dec (f a) (f b)) as [H|H]; [exact H|exfalso].
    destruct (Req_dec a b) as [E|E]; [rewrite E in H; lra|].
    pose proof (almost_rising ((f a - f b) / (2 * (b - a)))) as Ha.
    assert (0 < (f a - f b) / (2 * (b - a))) by (apply Rdiv_lt_0_compat; lra).
    replace ((f a - f b) / (2 * (b - a)) * (b - a)) with ((f a - f b) / 2) in Ha by (field; lra). lra.
  Qed.
End Rising.

(** If the slope falls at rate at most C, f rises by at least f'(0) t - C t^2 / 2. *)
Theorem rise_with_a_bounded_loss_of_slope f f' C T :
  0 <= T -> (forall t, 0 <= t <= T -> derivable_pt_lim f t (f' t)) ->
  (forall t, 0 <= t <= T -> f' 0 - C * t <= f' t) -> f 0 + (f' 0 * T - C / 2 * T ^ 2) <= f T.
Proof.
  intros HT Hd Hslope.
  set (g := fun t => f t - (f' 0 * t - C / 2 * t ^ 2)). set (g' := fun t => f' t - (f' 0 - C * t)).
  assert (Hg : forall t, 0 <= t <= T -> derivable_pt_lim g t (g' t)).
  { intros t Ht. unfold g, g'. apply (derivable_pt_lim_minus f (fun t => f' 0 * t - C / 2 * t ^ 2)); [apply Hd, Ht|].
    replace (f' 0 - C * t) with (f' 0 * 1 - C / 2 * (INR 2 * t ^ 1)) by (simpl; field).
    apply (derivable_pt_lim_minus (fun t => f' 0 * t) (fun t => C / 2 * t ^ 2)).
    - apply (derivable_pt_lim_scal id), derivable_pt_lim_id.
    - apply (derivable_pt_lim_scal (fun t => t ^ 2)), derivable_pt_lim_pow. }
  pose proof (nonnegative_derivative_does_not_fall g g' 0 T HT Hg) as H. unfold g, g' in H.
  rewrite Rmult_0_r in H. simpl pow in H.
  assert (f 0 - (0 - C / 2 * (0 * (0 * 1))) <= f T - (f' 0 * T - C / 2 * (T * (T * 1)))); [|simpl; lra].
  apply H. intros t Ht. specialize (Hslope t Ht). lra.
Qed.
