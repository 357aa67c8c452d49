(** * One neuron: a positive reward drives z away from 0, a negative one towards it

    At fixed inputs an update with LFP-epsilon moves z by lr s (sum_i |w_i| a_i^2 + |b|). No derivative occurs. *)

From LFP Require Import sums.Sums.

Section Neuron.
  Context (n : nat) (w a : vector) (b r e lr : R).
  Context (e_nonneg : 0 <= e) (lr_pos : 0 < lr).

  Definition value (w : vector) (b : R) : R := sum n (fun i => w i * a i) + b.
  Definition leverage : R := sum n (fun i => Rabs (w i) * a i ^ 2) + Rabs b.
  Let z : R := value w b.
  Let s : R := quotient r (stab z e).
  (** Value after the update w + lr |w| a s, b + lr |b| s. *)
  Let z' : R := value (fun i => w i + lr * (Rabs (w i) * a i * s)) (b + lr * (Rabs b * s)).

  (** z' - z = lr s (sum_i |w_i| a_i^2 + |b|). *)
  Theorem motion : z' - z = lr * s * leverage.
  Proof.
    unfold z', z, value, leverage.
    rewrite (sum_ext n _ (fun i => w i * a i + (lr * s) * (Rabs (w i) * a i ^ 2))) by (intros; ring).
    rewrite sum_plus, sum_scale. ring.
  Qed.

  Lemma leverage_nonneg : 0 <= leverage.
  Proof.
    unfold leverage. apply Rplus_le_le_0_compat; [|apply Rabs_pos].
    apply sum_nonneg; intros i _. apply Rmult_le_pos; [apply Rabs_pos|apply square_nonneg].
  Qed.

  (** There is something to move: an active input with a weight, or a bias. *)
  Lemma leverage_pos : (b <> 0 \/ exists i, (i < n)%nat /\ w i <> 0 /\ a i <> 0) -> 0 < leverage.
  Proof.
    unfold leverage. intros H.
    assert (Hterms : forall i, (i < n)%nat -> 0 <= Rabs (w i) * a i ^ 2)
      by (intros i _; apply Rmult_le_pos; [apply Rabs_pos|apply square_nonneg]).
    destruct H as [Hb|[i [Hi [Hw Ha]]]].
    - apply Rplus_le_lt_0_compat; [apply sum_nonneg; assumption|apply Rabs_pos_lt; assumption].
    - apply Rplus_lt_le_0_compat; [|apply Rabs_pos].
      apply sum_pos with (k := i); [assumption..|].
      apply Rmult_lt_0_compat; [apply Rabs_pos_lt|apply square_pos]; assumption.
  Qed.

  (** Where there is something to divide by, s = sgn(z) r / (|z| + e): the sign of s is that of r relative to z's. *)
  Context (not_empty : 0 < Rabs z + e).

  Lemma per_unit_of_reward : s = sgn z * (r / (Rabs z + e)).
  Proof.
    unfold s. rewrite stab_abs. destruct (sgn_cases z) as [[_ ->]|[_ ->]]; rewrite quotient_div by lra; field; lra.
  Qed.

  (** Seen from z's side of 0, the motion is lr r leverage / (|z| + e): *)
  Theorem motion_away_from_zero : sgn z * (z' - z) = lr * (r / (Rabs z + e)) * leverage.
  Proof.
    rewrite motion, per_unit_of_reward.
    replace (sgn z * (lr * (sgn z * (r / (Rabs z + e))) * leverage))
      with (sgn z * sgn z * (lr * (r / (Rabs z + e)) * leverage)) by ring.
    rewrite sgn_sq. ring.
  Qed.

  (** a positive reward drives z away from 0, and |z| grows by exactly that; *)
  Theorem positive_reward_drives_away_from_zero :
    0 < r -> 0 < leverage ->
    0 < sgn z * (z' - z) /\ Rabs z' = Rabs z + lr * (r / (Rabs z + e)) * leverage.
  Proof.
    intros Hr Hlev.
    assert (Hq : 0 < r / (Rabs z + e)) by (apply Rdiv_lt_0_compat; assumption).
    assert (Hm : 0 < lr * (r / (Rabs z + e)) * leverage)
      by (apply Rmult_lt_0_compat; [apply Rmult_lt_0_compat|]; assumption).
    pose proof motion_away_from_zero as H. split; [rewrite H; assumption|].
    replace z' with (z + (z' - z)) by ring.
    replace (z' - z) with (sgn z * (sgn z * (z' - z))) by (rewrite <- Rmult_assoc, sgn_sq; ring).
    rewrite H. clear H not_empty. destruct (sgn_cases z) as [[Hz ->]|[Hz ->]].
    - rewrite (Rabs_right z) in * by lra. rewrite Rabs_right; lra.
    - rewrite (Rabs_left z) in * by lra. rewrite Rabs_left; lra.
  Qed.

  (** a negative one drives it towards 0, and past it if the step is large; *)
  Theorem negative_reward_drives_towards_zero :
    r < 0 -> 0 < leverage ->
    sgn z * (z' - z) < 0 /\ Rabs z' = Rabs (Rabs z - lr * (- r / (Rabs z + e)) * leverage).
  Proof.
    intros Hr Hlev.
    assert (Hq : r / (Rabs z + e) < 0).
    { assert (0 < - r / (Rabs z + e)) by (apply Rdiv_lt_0_compat; lra).
      replace (r / (Rabs z + e)) with (- (- r / (Rabs z + e))) by (field; lra). lra. }
    pose proof motion_away_from_zero as H. split.
    - rewrite H. replace (lr * (r / (Rabs z + e)) * leverage) with (- (lr * - (r / (Rabs z + e)) * leverage)) by ring.
      assert (0 < lr * - (r / (Rabs z + e)) * leverage) by (apply Rmult_lt_0_compat; [apply Rmult_lt_0_compat|]; lra).
        lra.
    - replace (Rabs z - lr * (- r / (Rabs z + e)) * leverage) with (Rabs z + sgn z * (z' - z))
        by (rewrite H; field; lra).
      rewrite <- (sgn_mult z). replace (sgn z * z + sgn z * (z' - z)) with (sgn z * z') by ring.
      rewrite Rabs_mult, sgn_abs. ring.
  Qed.

  (** at z = 0 there is nothing to go towards: any reward, also a negative one, drives away from 0; *)
  Theorem at_zero_every_reward_drives_away :
    z = 0 -> r <> 0 -> 0 < leverage -> 0 < Rabs z'.
  Proof.
    intros Hz Hr Hlev. pose proof motion_away_from_zero as H. apply Rabs_pos_lt. intros E. rewrite E, Hz in H.
    pose proof not_empty as Hne. rewrite Hz in Hne. rewrite Rabs_R0 in H, Hne. rewrite Rminus_0_r, Rmult_0_r in H.
    assert (Hq : lr * (r / (0 + e)) * leverage <> 0).
    { apply Rmult_integral_contrapositive_currified; [|lra]. apply Rmult_integral_contrapositive_currified; [lra|].
      unfold Rdiv. apply Rmult_integral_contrapositive_currified; [exact Hr|]. apply Rinv_neq_0_compat. lra. }
    apply Hq. symmetry. exact H.
  Qed.

  (** it does not pass 0 while lr |r| leverage <= |z| (|z| + e); *)
  Theorem negative_reward_does_not_pass_zero :
    r < 0 -> lr * - r * leverage <= Rabs z * (Rabs z + e) -> 0 <= sgn z * z'.
  Proof.
    intros Hr Hsmall. pose proof motion_away_from_zero as H.
    replace (sgn z * z') with (sgn z * z + sgn z * (z' - z)) by ring. rewrite H, sgn_mult.
    assert (lr * - r * leverage / (Rabs z + e) <= Rabs z).
    { apply Rmult_le_reg_r with (Rabs z + e); [assumption|].
      replace (lr * - r * leverage / (Rabs z + e) * (Rabs z + e)) with (lr * - r * leverage) by (field; lra).
      assumption. }
    replace (lr * (r / (Rabs z + e)) * leverage) with (- (lr * - r * leverage / (Rabs z + e))) by (field; lra). lra.
  Qed.

  (** no reward, no motion. *)
  Theorem no_reward_no_motion : r = 0 -> z' = z.
  Proof.
    intros Hr. pose proof motion as H. unfold s in H. rewrite Hr, quotient_zero_reward in H.
    rewrite Rmult_0_r, Rmult_0_l in H. lra.
  Qed.
End Neuron.

(** ** A batch

    With several samples each also moves the neuron at the others' inputs: at sample t by
    lr sum_n s_n K(n, t), K(n, t) = sum_i |w_i| a_i(n) a_i(t) + |b|. Inputs >= 0 (behind a ReLU, spikes, pixels) have
    K >= 0, so if all s_n have one sign, the value at every sample moves to that side. Without a common sign single
    samples may move against their s_n (witness_neuron_batch); the batch as a whole never does. *)
Section Batch.
  Context (n samples : nat) (w : vector) (a : nat -> vector) (b lr : R) (s : vector).

  Definition overlap (x y : vector) : R := sum n (fun i => Rabs (w i) * (x i * y i)) + Rabs b.
  Let w' (i : nat) : R := w i + lr * (Rabs (w i) * sum samples (fun t => a t i * s t)).
  Let b' : R := b + lr * (Rabs b * sum samples s).

  Theorem motion_in_a_batch (t : nat) :
    value n (a t) w' b' - value n (a t) w b = lr * sum samples (fun u => s u * overlap (a u) (a t)).
  Proof.
    unfold value, w', b', overlap.
    rewrite (sum_ext n _ (fun i => w i * a t i + lr * sum samples (fun u => s u * (Rabs (w i) * (a u i * a t i))))).
    - rewrite sum_plus, sum_scale, sum_swap.
      rewrite (sum_ext samples (fun u => s u * (sum n (fun i => Rabs (w i) * (a u i * a t i)) + Rabs b))
                 (fun u => sum n (fun i => s u * (Rabs (w i) * (a u i * a t i))) + Rabs b * s u))
        by (intros; rewrite sum_scale; ring).
      rewrite sum_plus, sum_scale. ring.
    - intros i _. rewrite Rmult_plus_distr_r. f_equal.
      replace (lr * (Rabs (w i) * sum samples (fun u => a u i * s u)) * a t i)
        with (lr * (Rabs (w i) * a t i * sum samples (fun u => a u i * s u))) by ring.
      rewrite <- sum_scale. f_equal. apply sum_ext; intros u _. ring.
  Qed.

  (** sum_n s_n (z_n' - z_n) = lr [sum_i |w_i| (sum_n a_i(n) s_n)^2 + |b| (sum_n s_n)^2]: *)
  Theorem motion_of_a_batch_as_a_whole :
    sum samples (fun t => s t * (value n (a t) w' b' - value n (a t) w b))
    = lr * (sum n (fun i => Rabs (w i) * sum samples (fun t => a t i * s t) ^ 2) + Rabs b * sum samples s ^ 2).
  Proof.
    rewrite (sum_ext samples _
      (fun t => sum n (fun i => lr * (Rabs (w i) * sum samples (fun u => a u i * s u)) * (a t i * s t))
                + lr * (Rabs b * sum samples s) * s t)).
    - rewrite sum_plus, sum_swap, sum_scale, Rmult_plus_distr_l. f_equal; [|ring].
      rewrite <- sum_scale. apply sum_ext; intros i _. rewrite sum_scale. ring.
    - intros t _. unfold value, w', b'.
      rewrite (sum_ext n (fun i => (w i + lr * (Rabs (w i) * sum samples (fun u => a u i * s u))) * a t i)
        (fun i => w i * a t i + lr * (Rabs (w i) * sum samples (fun u => a u i * s u)) * a t i)) by (intros; ring).
      rewrite sum_plus.
      rewrite (sum_ext n (fun i => lr * (Rabs (w i) * sum samples (fun u => a u i * s u)) * (a t i * s t))
        (fun i => s t * (lr * (Rabs (w i) * sum samples (fun u => a u i * s u)) * a t i))) by (intros; ring).
      rewrite sum_scale. ring.
  Qed.

  (** a batch never moves against its s. *)
  Corollary a_batch_never_moves_against_itself :
    0 <= lr -> 0 <= sum samples (fun t => s t * (value n (a t) w' b' - value n (a t) w b)).
  Proof.
    intros Hlr. rewrite motion_of_a_batch_as_a_whole. apply Rmult_le_pos; [assumption|].
    apply Rplus_le_le_0_compat; [apply sum_nonneg; intros|]; apply Rmult_le_pos; auto using Rabs_pos, square_nonneg.
  Qed.

  (** Inputs >= 0, all s_n >= 0: every sample's value rises. *)
  Theorem a_batch_of_one_mind_moves_every_sample (t : nat) :
    0 <= lr -> (forall u i, 0 <= a u i) -> (forall u, (u < samples)%nat -> 0 <= s u) ->
    value n (a t) w b <= value n (a t) w' b'.
  Proof.
    intros Hlr Ha Hs. pose proof (motion_in_a_batch t) as H.
    assert (0 <= lr * sum samples (fun u => s u * overlap (a u) (a t))).
    { apply Rmult_le_pos; [assumption|]. apply sum_nonneg; intros u Hu.
      apply Rmult_le_pos; [apply Hs; assumption|]. unfold overlap.
      apply Rplus_le_le_0_compat; [|apply Rabs_pos]. apply sum_nonneg; intros i _.
      apply Rmult_le_pos; [apply Rabs_pos|apply Rmult_le_pos; apply Ha]. }
    lra.
  Qed.
End Batch.

(** ** Where it stops: rules that do not see the sign of z

    Z-plus divides by a sum of positive contributions, so s has the sign of r whatever the sign of z, and an update
    moves z up for r > 0: a rewarded neuron at z < 0 is driven towards 0, not away from it. *)
Section ZPlus.
  Context (n : nat) (w a : vector) (b r e lr : R).
  Let D : R := sum n (fun i => plus (w i) * plus (a i) + minus (w i) * minus (a i)) + plus b.
  Let s : R := quotient r (stab D e).
  Let d_w (i : nat) : R := sgn (w i) * ((plus (w i) * plus (a i) + minus (w i) * minus (a i)) * s).
  Let d_b : R := sgn b * (plus b * s).

  Lemma plus_minus_cases x : (0 <= x /\ plus x = x /\ minus x = 0) \/ (x < 0 /\ plus x = 0 /\ minus x = x).
  Proof.
    unfold plus, minus, Rmax, Rmin. destruct (Rle_dec x 0), (Rle_dec 0 x); try lra.
    all: destruct (Rlt_dec x 0); [right|left]; lra.
  Qed.

  Lemma positive_contributions_nonneg i : 0 <= plus (w i) * plus (a i) + minus (w i) * minus (a i).
  Proof.
    destruct (plus_minus_cases (w i)) as [[Hw [-> ->]]|[Hw [-> ->]]];
      destruct (plus_minus_cases (a i)) as [[Ha [-> ->]]|[Ha [-> ->]]]; try lra.
    - assert (0 <= w i * a i) by (apply Rmult_le_pos; assumption). lra.
    - assert (0 < - w i * - a i) by (apply Rmult_lt_0_compat; lra). lra.
  Qed.

  Lemma z_plus_leverage_nonneg i : 0 <= a i * (sgn (w i) * (plus (w i) * plus (a i) + minus (w i) * minus (a i))).
  Proof.
    pose proof (square_nonneg (a i)) as Hsq.
    destruct (plus_minus_cases (w i)) as [[Hw [-> ->]]|[Hw [-> ->]]];
      destruct (sgn_cases (w i)) as [[Hs ->]|[Hs ->]]; try lra;
      destruct (plus_minus_cases (a i)) as [[Ha [-> ->]]|[Ha [-> ->]]].
    - assert (0 <= w i * a i ^ 2) by (apply Rmult_le_pos; assumption). lra.
    - lra.
    - lra.
    - assert (0 <= - w i * a i ^ 2) by (apply Rmult_le_pos; lra). lra.
  Qed.

  Theorem z_plus_moves_up_for_a_positive_reward :
    0 <= e -> 0 <= lr -> 0 <= r ->
    value n a w b <= value n a (fun i => w i + lr * d_w i) (b + lr * d_b).
  Proof.
    intros He Hlr Hr.
    assert (HD : 0 <= D).
    { unfold D. apply Rplus_le_le_0_compat; [apply sum_nonneg; intros; apply positive_contributions_nonneg|].
      unfold plus. apply Rmax_r. }
    assert (Hs : 0 <= s).
    { unfold s, stab. destruct (sgn_cases D) as [[_ ->]|[H _]]; [|lra].
      destruct (Req_dec (D + e * 1) 0) as [E|E]; [rewrite E, quotient_0; lra|].
      rewrite quotient_div by assumption. apply Rmult_le_pos; [assumption|]. apply Rlt_le, Rinv_0_lt_compat. lra. }
    assert (Hb : 0 <= d_b).
    { unfold d_b. destruct (plus_minus_cases b) as [[H [-> _]]|[H [-> _]]]; [|lra].
      destruct (sgn_cases b) as [[_ ->]|[H' _]]; [|lra]. rewrite Rmult_1_l. apply Rmult_le_pos; assumption. }
    unfold value. apply Rplus_le_compat.
    - apply sum_le; intros i _.
      assert (0 <= lr * (a i * (sgn (w i) * (plus (w i) * plus (a i) + minus (w i) * minus (a i))) * s)).
      { apply Rmult_le_pos; [assumption|]. apply Rmult_le_pos; [apply z_plus_leverage_nonneg|assumption]. }
      unfold d_w. lra.
    - assert (0 <= lr * d_b) by (apply Rmult_le_pos; assumption). lra.
  Qed.
End ZPlus.
