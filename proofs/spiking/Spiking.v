(** * Leaky integrate-and-fire neurons: the rule is sub-conservative, and moves u towards the reward

    One neuron over T steps. All three resets are one recursion, u = beta v + I - taken:
    - subtract: v[t] = u[t-1],              taken = th where u[t-1] > th
    - to zero:  v[t] = u[t-1], but 0 where u[t-1] > th;   taken = 0
    - none:     v[t] = u[t-1],              taken = 0
    v is the state that flowed into step t, beta v + I what the step added up, before anything was taken off.
    For subtract, den below is |u[t-1]| + |u[t] + reset th - u[t-1]|. *)

From LFP Require Import sums.Sums one_neuron.OneNeuron.

Inductive reset := Subtract | ToZero | NoReset.

Section Neuron.
  Context (kind : reset) (n T : nat) (x : nat -> vector) (w : vector) (b beta th e : R) (r : vector).
  (** x t i: input i at step t; r t: the reward of spike t. *)

  Definition current (t : nat) : R := value n (x t) w b.   (* sum_i w_i x_i[t] + b *)

  (** [before t] is u[t-1], with u[-1] = 0. *)
  Fixpoint before (t : nat) : R :=
    match t with
    | O => 0
    | S t' =>
        let fired := if Rlt_dec th (before t') then 1 else 0 in
        match kind with
        | Subtract => beta * before t' + current t' - fired * th
        | ToZero => beta * ((1 - fired) * before t') + current t'
        | NoReset => beta * before t' + current t'
        end
    end.
  Definition u (t : nat) : R := before (S t).
  Definition fired (t : nat) : R := if Rlt_dec th (before t) then 1 else 0.
  Definition v (t : nat) : R := match kind with ToZero => (1 - fired t) * before t | _ => before t end.
  Definition taken (t : nat) : R := match kind with Subtract => fired t * th | _ => 0 end.

  Definition den (t : nat) : R := Rabs (v t) + Rabs (u t + taken t - v t).

  (** The carry c[t], which runs backwards from c[T] = 0: [carried k] is c[T - k]. *)
  Fixpoint carried (k : nat) : R :=
    match k with
    | O => 0
    | S k' => let t := (T - k)%nat in beta * v t * quotient (r t + carried k') (stab (den t) e)
    end.
  Definition carry (t : nat) : R := carried (T - t).
  Definition reward (t : nat) : R := r t + carry (S t).             (* R[t] = r[t] + c[t+1] *)
  Definition s (t : nat) : R := quotient (reward t) (stab (den t) e).

  (** The spike of step t: u[t] > threshold. *)
  Definition spike (t : nat) : R := fired (S t).

  (** A membrane at exactly the threshold does not spike; above it, it does. *)
  Lemma no_spike_at_the_threshold t : u t = th -> spike t = 0.
  Proof. unfold spike, fired, u. intros ->. destruct (Rlt_dec th th); [lra|reflexivity]. Qed.

  Lemma a_spike_above_the_threshold t : th < u t -> spike t = 1.
  Proof. unfold spike, fired, u. intros H. destruct (Rlt_dec th (before (S t))); [reflexivity|contradiction]. Qed.

  (** What the inputs of step t get together. *)
  Definition to_inputs (t : nat) : R := sum n (fun i => w i * x t i) * s t.

  (** ** The bookkeeping *)

  Lemma membrane t : u t = beta * v t + current t - taken t.
  Proof. unfold u, v, taken, fired. simpl. destruct kind; ring. Qed.

  Lemma carry_is_what_flowed t : (t < T)%nat -> carry t = beta * v t * s t.
  Proof.
    intros Ht. unfold carry, s, reward, carry. replace (T - t)%nat with (S (T - S t)) by lia. simpl carried.
    replace (T - S (T - S t))%nat with t by lia. reflexivity.
  Qed.

  Lemma carry_ends : carry T = 0.
  Proof. unfold carry. rewrite Nat.sub_diag. reflexivity. Qed.

  Lemma carry_starts : carry 0 = 0.
  Proof.
    destruct (Nat.eq_dec T 0) as [E|E]; [unfold carry; rewrite E; reflexivity|].
    rewrite carry_is_what_flowed by lia. unfold v. simpl. destruct kind; ring.
  Qed.

  Lemma den_nonneg t : 0 <= den t.
  Proof. unfold den. pose proof (Rabs_pos (v t)). pose proof (Rabs_pos (u t + taken t - v t)). lra. Qed.

  Lemma stab_den t : stab (den t) e = den t + e.
  Proof. unfold stab, sgn. pose proof (den_nonneg t). destruct Rle_dec; [ring|contradiction]. Qed.

  (** The neuron of step t: what flowed in through the current and the state. *)
  Definition added_up (t : nat) : R := beta * v t + current t.

  (** den >= beta v + I: what it exceeds by is the share that leaks: decay, and currents against the state. *)
  Definition leak (t : nat) : R := den t - added_up t.

  Lemma leak_nonneg t : 0 <= leak t.
  Proof.
    unfold leak, den, added_up. rewrite membrane.
    pose proof (Rle_abs (v t)). pose proof (Rle_abs (beta * v t + current t - taken t + taken t - v t)). lra.
  Qed.

  (** ** Conservation, exactly

      Inputs' + bias's + carry + leak's + stabiliser's share = R[t], each explicit; the leak's and the stabiliser's have
      the sign of R[t]: nothing is made, something may be lost. *)
  Theorem conservation_of_a_step t :
    (t < T)%nat -> 0 < den t + e ->
    to_inputs t + b * s t + carry t + leak t * s t + e * s t = reward t.
  Proof.
    intros Ht Hden. rewrite carry_is_what_flowed by assumption. unfold to_inputs, leak, added_up, current, value.
    transitivity (s t * (den t + e)); [ring|].
    unfold s. rewrite stab_den. apply quotient_mult. lra.
  Qed.

  (** ** Conservation over all steps: carries cancel

      What stays where nothing flowed (den + e = 0, an empty group). *)
  Definition empty (t : nat) : R := if Req_EM_T (den t + e) 0 then reward t else 0.

  Lemma account_of_a_step t : (t < T)%nat -> 0 <= e ->
    to_inputs t + b * s t + carry t + leak t * s t + e * s t + empty t = reward t.
  Proof.
    intros Ht He. unfold empty. pose proof (den_nonneg t). destruct (Req_EM_T (den t + e) 0) as [E|E].
    - rewrite carry_is_what_flowed by assumption. unfold to_inputs.
      replace (s t) with 0 by (unfold s; rewrite stab_den, E, quotient_0; reflexivity). ring.
    - rewrite Rplus_0_r. apply conservation_of_a_step; [assumption|lra].
  Qed.

  Theorem conservation_over_time : 0 <= e ->
    sum T (fun t => to_inputs t + b * s t + leak t * s t + e * s t + empty t) = sum T r.
  Proof.
    intros He. assert (H : forall k, (k <= T)%nat ->
      sum k (fun t => to_inputs t + b * s t + leak t * s t + e * s t + empty t) + carry 0 = sum k r + carry k).
    { induction k as [|k IH]; intros Hk; simpl; [ring|]. pose proof (account_of_a_step k ltac:(lia) He) as Hstep.
      unfold reward at 1 in Hstep. specialize (IH ltac:(lia)). lra. }
    specialize (H T (le_n T)). rewrite carry_starts, carry_ends in H. lra.
  Qed.

  (** ** Backpropagation through time, for comparison (the code's gradient rules)

      [surrogate] stands for the derivative of a spike; a reset is constant, but one to zero cuts the membrane:
      delta[t] = d[t] surrogate(u[t] - th) + c[t+1],  c[t] = beta (dv[t]/du[t-1]) delta[t],  c[T] = 0. *)
  Context (surrogate : R -> R) (d : vector).
  Definition left_by_reset (t : nat) : R := match kind with ToZero => 1 - fired t | _ => 1 end.
  Fixpoint descended (k : nat) : R :=
    match k with
    | O => 0
    | S k' => let t := (T - k)%nat in beta * left_by_reset t * (d t * surrogate (u t - th) + descended k')
    end.
  Definition slope (t : nat) : R := d t * surrogate (u t - th) + descended (T - S t).

  Lemma v_is_left t : v t = left_by_reset t * before t.
  Proof. unfold v, left_by_reset. destruct kind; ring. Qed.

  (** delta[t] = surrogate d[t] + beta (dv[t+1]/du[t]) delta[t+1] *)
  Lemma slope_through_time t : (S t < T)%nat ->
    slope t = surrogate (u t - th) * d t + beta * left_by_reset (S t) * slope (S t).
  Proof.
    intros Ht. unfold slope. replace (T - S t)%nat with (S (T - S (S t))) by lia. simpl descended.
    replace (T - S (T - S (S t)))%nat with (S t) by lia. ring.
  Qed.

  (** LFP is the same recursion with secants: told r = spike d, s obeys it with spike / (den + e) for the surrogate and
      v[t+1] / (den[t] + e) for dv[t+1]/du[t]. *)
  Theorem feedback_is_backpropagation_through_time_with_secants t :
    (S t < T)%nat -> (forall k, (k < T)%nat -> r k = spike k * d k) ->
    s t = quotient (spike t) (den t + e) * d t + beta * quotient (v (S t)) (den t + e) * s (S t).
  Proof.
    intros Ht Hr. unfold s at 1. rewrite stab_den. unfold reward.
    rewrite Hr, carry_is_what_flowed by lia. unfold quotient. destruct Req_EM_T; unfold Rdiv; ring.
  Qed.

  Theorem feedback_of_the_last_step t :
    S t = T -> (forall k, (k < T)%nat -> r k = spike k * d k) -> s t = quotient (spike t) (den t + e) * d t.
  Proof.
    intros Ht Hr. unfold s. rewrite stab_den. unfold reward. rewrite Ht, carry_ends, Hr by lia.
    unfold quotient. destruct Req_EM_T; unfold Rdiv; ring.
  Qed.

  (** They are the secants of u -> spike and u -> v[t+1] where den is u: where the membrane rises from a v >= 0 and
      nothing was taken. *)
  Theorem den_is_the_membrane_where_it_rises t : taken t = 0 -> 0 <= v t <= u t -> den t = u t.
  Proof. intros Htaken [H0 Hu]. unfold den. rewrite Htaken, !Rabs_right by lra. ring. Qed.

  (** Not so below 0: there den is -u, and v[t+1] / den is -1 where the secant is 1. *)
  Theorem den_is_minus_the_membrane_where_it_falls t : taken t = 0 -> u t <= v t <= 0 -> den t = - u t.
  Proof. intros Htaken [Hu H0]. unfold den. rewrite Htaken, !Rabs_left1 by lra. ring. Qed.

  (** ** Sub-conservation: needs a decay between 0 and 1 *)

  Context (beta_0_1 : 0 <= beta <= 1) (e_nonneg : 0 <= e).

  Lemma parts_within_den t : Rabs (current t) + Rabs (beta * v t) <= den t.
  Proof.
    unfold den. rewrite membrane, Rabs_mult, (Rabs_right beta) by lra.
    replace (beta * v t + current t - taken t + taken t - v t) with (current t - (1 - beta) * v t) by ring.
    pose proof (Rabs_triang (current t - (1 - beta) * v t) ((1 - beta) * v t)) as H.
    replace (current t - (1 - beta) * v t + (1 - beta) * v t) with (current t) in H by ring.
    rewrite (Rabs_mult (1 - beta)), (Rabs_right (1 - beta)) in H by lra.
    replace (Rabs (v t)) with (beta * Rabs (v t) + (1 - beta) * Rabs (v t)) at 2 by ring. lra.
  Qed.

  Lemma den_times_s t : den t * Rabs (s t) <= Rabs (reward t).
  Proof.
    pose proof (den_nonneg t) as Hden. unfold s. rewrite stab_den.
    destruct (Req_dec (den t + e) 0) as [E|E].
    - rewrite E, quotient_0, Rabs_R0, Rmult_0_r. apply Rabs_pos.
    - rewrite quotient_div by assumption. unfold Rdiv.
      rewrite Rabs_mult, (Rabs_right (/ (den t + e))) by (apply Rle_ge, Rlt_le, Rinv_0_lt_compat; lra).
      apply Rmult_le_reg_r with (den t + e); [lra|].
      replace (den t * (Rabs (reward t) * / (den t + e)) * (den t + e)) with (den t * Rabs (reward t))
        by (field; assumption).
      rewrite Rmult_comm. apply Rmult_le_compat_l; [apply Rabs_pos|lra].
  Qed.

  (** The current's share, bias included, and the carry: |I s| + |c| <= |R|. *)
  Theorem current_and_carry_within_reward t :
    (t < T)%nat -> Rabs (current t * s t) + Rabs (carry t) <= Rabs (reward t).
  Proof.
    intros Ht. rewrite carry_is_what_flowed, !Rabs_mult by assumption.
    apply Rle_trans with (2 := den_times_s t).
    rewrite <- Rmult_plus_distr_r, <- Rabs_mult. apply Rmult_le_compat_r; [apply Rabs_pos|apply parts_within_den].
  Qed.

  (** The inputs' share as a whole, and the carry: |sum_i r_i| + |c| <= |R| + |b s|. *)
  Theorem inputs_and_carry_within_reward_and_bias t :
    (t < T)%nat -> Rabs (to_inputs t) + Rabs (carry t) <= Rabs (reward t) + Rabs (b * s t).
  Proof.
    intros Ht. pose proof (current_and_carry_within_reward t Ht).
    assert (Rabs (to_inputs t) <= Rabs (current t * s t) + Rabs (b * s t)).
    { replace (to_inputs t) with (current t * s t + - (b * s t)) by (unfold to_inputs, current, value; ring).
      rewrite <- (Rabs_Ropp (b * s t)). apply Rabs_triang. }
    lra.
  Qed.

  (** Input by input, sum_i |r_i| + |c| <= |R| + |b s|, if the inputs do not work against each other: all w_i x_i of one
      sign. Otherwise false, see below. *)
  Theorem each_input_and_carry_within_reward_and_bias t :
    (t < T)%nat -> (forall i k, (i < n)%nat -> (k < n)%nat -> 0 <= (w i * x t i) * (w k * x t k)) ->
    sum n (fun i => Rabs (w i * x t i * s t)) + Rabs (carry t) <= Rabs (reward t) + Rabs (b * s t).
  Proof.
    intros Ht Hagree. apply Rle_trans with (2 := inputs_and_carry_within_reward_and_bias t Ht).
    apply Rplus_le_compat_r. unfold to_inputs. rewrite Rabs_mult.
    rewrite (sum_ext n _ (fun i => Rabs (w i * x t i) * Rabs (s t))) by (intros; apply Rabs_mult).
    rewrite sum_scale_right. apply Rmult_le_compat_r; [apply Rabs_pos|].
    apply sum_of_one_sign. exact Hagree.
  Qed.

  (** Over all T steps: the inputs of all steps get at most what the spikes were told, plus the biases' shares:
      sum_t |sum_i r_i[t]| <= sum_t |r[t]| + sum_t |b s[t]|. Carries cancel. *)
  Theorem sub_conservation_over_time :
    sum T (fun t => Rabs (to_inputs t)) <= sum T (fun t => Rabs (r t)) + sum T (fun t => Rabs (b * s t)).
  Proof.
    assert (Hstep : sum T (fun t => Rabs (to_inputs t) + Rabs (carry t))
                    <= sum T (fun t => Rabs (r t) + Rabs (carry (S t)) + Rabs (b * s t))).
    { apply sum_le; intros t Ht. pose proof (inputs_and_carry_within_reward_and_bias t Ht).
      pose proof (Rabs_triang (r t) (carry (S t))). unfold reward in *. lra. }
    assert (Htelescope : forall k, sum k (fun t => Rabs (carry (S t))) = sum k (fun t => Rabs (carry t))
                                   + Rabs (carry k) - Rabs (carry 0)).
    { induction k as [|k IH]; simpl; [ring|]. rewrite IH. ring. }
    rewrite !sum_plus, Htelescope, carry_ends, carry_starts, Rabs_R0 in Hstep. lra.
  Qed.

  (** ** Direction *)

  (** s has the sign of the reward, for den is never negative. For ordinary neurons that sign is relative to z's. *)
  Theorem s_has_the_sign_of_the_reward t : 0 < den t + e -> s t = reward t / (den t + e).
  Proof. intros H. unfold s. rewrite stab_den. apply quotient_div. lra. Qed.

  (** With the feedback of step t alone, at fixed inputs and state, u[t] moves by lr R[t]/(den + e) (sum |w| x^2 + |b|):
      in the direction of R[t]. *)
  Theorem motion_of_a_step t lr :
    0 < den t + e ->
    value n (x t) (fun i => w i + lr * (Rabs (w i) * x t i * s t)) (b + lr * (Rabs b * s t)) - current t
    = lr * (reward t / (den t + e)) * leverage n w (x t) b.
  Proof.
    intros H. rewrite <- s_has_the_sign_of_the_reward by assumption.
    unfold current, value, leverage.
    rewrite (sum_ext n _ (fun i => w i * x t i + (lr * s t) * (Rabs (w i) * x t i ^ 2))) by (intros; ring).
    rewrite sum_plus, sum_scale. ring.
  Qed.

  Corollary a_step_moves_towards_its_reward t lr :
    0 < lr -> 0 < den t + e -> 0 < leverage n w (x t) b -> reward t <> 0 ->
    0 < reward t
        * (value n (x t) (fun i => w i + lr * (Rabs (w i) * x t i * s t)) (b + lr * (Rabs b * s t)) - current t).
  Proof.
    intros Hlr Hden Hlev Hr. rewrite motion_of_a_step by assumption.
    replace (reward t * (lr * (reward t / (den t + e)) * leverage n w (x t) b))
      with (lr * reward t ^ 2 * (leverage n w (x t) b / (den t + e))) by (field; lra).
    apply Rmult_lt_0_compat; [|apply Rdiv_lt_0_compat; assumption].
    apply Rmult_lt_0_compat; [assumption|apply square_pos; assumption].
  Qed.

  (** The real update sums over all steps. Each step also moves the current of the others, by what their inputs
      share: *)
  Theorem motion_of_all_steps t lr :
    value n (x t) (fun i => w i + lr * (Rabs (w i) * sum T (fun k => x k i * s k))) (b + lr * (Rabs b * sum T s))
    - current t
    = lr * sum T (fun k => s k * overlap n w b (x k) (x t)).
  Proof. apply motion_in_a_batch. Qed.

  (** the steps together never move against their s (whose sign is that of R): sum_t s[t] (motion of step t) >= 0; *)
  Theorem all_steps_together_never_move_against_their_rewards lr :
    0 <= lr ->
    0 <= sum T (fun t =>
      s t * (value n (x t) (fun i => w i + lr * (Rabs (w i) * sum T (fun k => x k i * s k)))
                           (b + lr * (Rabs b * sum T s)) - current t)).
  Proof. apply a_batch_never_moves_against_itself. Qed.

  (** if inputs are >= 0 (spikes) and all rewards R[t] >= 0, every step's current rises. *)
  Theorem steps_of_one_mind_move_together t lr :
    0 <= lr -> (forall k i, 0 <= x k i) -> (forall k, (k < T)%nat -> 0 <= reward k) ->
    current t <= value n (x t) (fun i => w i + lr * (Rabs (w i) * sum T (fun k => x k i * s k)))
                               (b + lr * (Rabs b * sum T s)).
  Proof.
    intros Hlr Hx Hr. apply a_batch_of_one_mind_moves_every_sample; [assumption..|]. intros k Hk.
    unfold s. rewrite stab_den. pose proof (den_nonneg k).
    destruct (Req_dec (den k + e) 0) as [E|E]; [rewrite E, quotient_0; lra|].
    rewrite quotient_div by assumption. apply Rmult_le_pos; [apply Hr; assumption|].
    apply Rlt_le, Rinv_0_lt_compat. lra.
  Qed.
End Neuron.

(** A layer of neurons 0, ..., m - 1 with one decay, on the same inputs: over all steps, what the inputs of a step get
    from all neurons together is at most all rewards and the biases' shares. *)
Theorem sub_conservation_of_a_layer kind n m T x (w : nat -> vector) (b : vector) beta th e (r : nat -> vector) :
  0 <= beta <= 1 -> 0 <= e ->
  let s_ j := s kind n T x (w j) (b j) beta th e (r j) in
  sum T (fun t => Rabs (sum m (fun j => to_inputs kind n T x (w j) (b j) beta th e (r j) t)))
  <= sum m (fun j => sum T (fun t => Rabs (r j t)) + sum T (fun t => Rabs (b j * s_ j t))).
Proof.
  intros Hbeta He s_.
  apply Rle_trans with (sum m (fun j => sum T (fun t => Rabs (to_inputs kind n T x (w j) (b j) beta th e (r j) t)))).
  - rewrite sum_swap. apply sum_le; intros t _. apply sum_abs.
  - apply sum_le; intros j _. apply sub_conservation_over_time; assumption.
Qed.

(** ** Where it stops (and witness_spiking_steps in proofs/witnesses: a step may move against its own reward) *)

(** Two inputs of 1 with weights 2 and -1, one step, reward 1, no bias, no stabiliser: the inputs get 2 and -1, together
    1 = R, but |2| + |-1| = 3 > |R|. So it is the inputs' sum that is bounded, not the sum of their sizes. *)
Definition two_inputs (i : nat) : R := match i with O => 2 | _ => -1 end.

Theorem sizes_of_input_rewards_are_not_bounded :
  let s0 := s Subtract 2 1 (fun _ _ => 1) two_inputs 0 (9 / 10) 1 0 (fun _ => 1) 0 in
  s0 = 1 /\ sum 2 (fun i => Rabs (two_inputs i * 1 * s0)) = 3.
Proof.
  intros s0. assert (Hs : s0 = 1).
  { unfold s0, s, reward, carry, den, u, v, taken, fired, before, current, value, stab, sgn. simpl.
    destruct (Rlt_dec 1 0); [lra|]. rewrite !Rabs_R0. replace (Rabs _) with 1.
    - destruct (Rle_dec 0 (0 + 1)); [|lra]. rewrite quotient_div by lra. field.
    - symmetry. rewrite Rabs_right; lra. }
  split; [assumption|]. rewrite Hs. simpl. rewrite Rabs_right, Rabs_left by lra. ring.
Qed.

(** One input of 1 with weight 2, bias -1, otherwise the same: the input gets 2 > |R| = 1, so the bias's |b s| = 1 in
    the bound is needed. *)
Theorem the_bias_in_the_bound_is_needed :
  let s0 := s Subtract 1 1 (fun _ _ => 1) (fun _ => 2) (-1) (9 / 10) 1 0 (fun _ => 1) 0 in
  s0 = 1 /\ to_inputs Subtract 1 1 (fun _ _ => 1) (fun _ => 2) (-1) (9 / 10) 1 0 (fun _ => 1) 0 = 2.
Proof.
  intros s0. assert (Hs : s0 = 1).
  { unfold s0, s, reward, carry, den, u, v, taken, fired, before, current, value, stab, sgn. simpl.
    destruct (Rlt_dec 1 0); [lra|]. rewrite !Rabs_R0. replace (Rabs _) with 1.
    - destruct (Rle_dec 0 (0 + 1)); [|lra]. rewrite quotient_div by lra. field.
    - symmetry. rewrite Rabs_right; lra. }
  split; [assumption|]. unfold to_inputs. fold s0. rewrite Hs. simpl. ring.
Qed.

(** Feedback looks at rewards of its T steps only. *)
Lemma feedback_is_local kind n T x w b beta th e r r' : (forall t, (t < T)%nat -> r t = r' t) ->
  forall t, (t < T)%nat -> s kind n T x w b beta th e r t = s kind n T x w b beta th e r' t.
Proof.
  intros Hr. assert (Hcarried : forall k, (k <= T)%nat ->
    carried kind n T x w b beta th e r k = carried kind n T x w b beta th e r' k).
  { induction k as [|k IH]; intros Hk; [reflexivity|]. simpl. rewrite Hr, IH by lia. reflexivity. }
  intros t Ht. unfold s, reward, carry. rewrite Hr, Hcarried by lia. reflexivity.
Qed.

Lemma size_of_what_agrees x y : 0 <= x * y -> Rabs x <= Rabs (x + y).
Proof.
  intros H. unfold Rabs. destruct (Rcase_abs x), (Rcase_abs (x + y)); nra.
Qed.

(** ** Layers of spiking neurons

    What a layer hands to each of its inputs becomes the reward of the neuron below. Sub-conservation bounds the inputs'
    sum, so it composes only where sums are sizes: where every neuron's contributions agree in sign. *)

(** Size by size, over all steps: inputs that agree get at most all rewards and the biases' shares. *)
Theorem sizes_over_time kind n T x w b beta th e r :
  0 <= beta <= 1 -> 0 <= e ->
  (forall t i k, (t < T)%nat -> (i < n)%nat -> (k < n)%nat -> 0 <= (w i * x t i) * (w k * x t k)) ->
  let s_ := s kind n T x w b beta th e r in
  sum T (fun t => sum n (fun i => Rabs (w i * x t i * s_ t)))
  <= sum T (fun t => Rabs (r t)) + sum T (fun t => Rabs (b * s_ t)).
Proof.
  intros Hbeta He Hagree s_.
  apply Rle_trans with (2 := sub_conservation_over_time kind n T x w b beta th e r Hbeta He).
  apply sum_le; intros t Ht. unfold to_inputs. fold (s_ t). rewrite Rabs_mult.
  rewrite (sum_ext n _ (fun i => Rabs (w i * x t i) * Rabs (s_ t))) by (intros; apply Rabs_mult).
  rewrite sum_scale_right. apply Rmult_le_compat_r; [apply Rabs_pos|].
  apply sum_of_one_sign. intros i k Hi Hk. apply Hagree; assumption.
Qed.

(** The same where the bias agrees, too (a bias of 0 does): then it is not in the bound. *)
Theorem sizes_over_time_where_the_bias_agrees kind n T x w b beta th e r :
  0 <= beta <= 1 -> 0 <= e ->
  (forall t i k, (t < T)%nat -> (i < n)%nat -> (k < n)%nat -> 0 <= (w i * x t i) * (w k * x t k)) ->
  (forall t i, (t < T)%nat -> (i < n)%nat -> 0 <= (w i * x t i) * b) ->
  let s_ := s kind n T x w b beta th e r in
  sum T (fun t => sum n (fun i => Rabs (w i * x t i * s_ t))) <= sum T (fun t => Rabs (r t)).
Proof.
  intros Hbeta He Hagree Hbias s_. pose (c := carry kind n T x w b beta th e r).
  apply Rle_trans with (sum T (fun t => Rabs (r t) + Rabs (c (S t)) - Rabs (c t))).
  - apply sum_le; intros t Ht.
    pose proof (current_and_carry_within_reward kind n T x w b beta th e r Hbeta He t Ht) as H. fold s_ in H.
    pose proof (Rabs_triang (r t) (c (S t))). unfold reward in H. fold c in H.
    assert (sum n (fun i => Rabs (w i * x t i * s_ t)) <= Rabs (current n x w b t * s_ t)); [|lra].
    rewrite (sum_ext n _ (fun i => Rabs (w i * x t i) * Rabs (s_ t))) by (intros; apply Rabs_mult).
    rewrite sum_scale_right, Rabs_mult. apply Rmult_le_compat_r; [apply Rabs_pos|].
    apply Rle_trans with (Rabs (sum n (fun i => w i * x t i))).
    { apply sum_of_one_sign. intros i k Hi Hk. apply Hagree; assumption. }
    unfold current, value. apply size_of_what_agrees.
    rewrite <- sum_scale_right. apply sum_nonneg; intros i Hi. apply Hbias; assumption.
  - assert (Htelescope : forall k, sum k (fun t => Rabs (r t) + Rabs (c (S t)) - Rabs (c t))
                                   = sum k (fun t => Rabs (r t)) + Rabs (c k) - Rabs (c 0%nat)).
    { induction k as [|k IH]; simpl; [ring|]. rewrite IH. ring. }
    rewrite Htelescope. unfold c. rewrite carry_ends, carry_starts. lra.
Qed.

(** A layer of such neurons without biases hands on sizes of at most those it got: the bound for the layer below. *)
Theorem sizes_through_a_layer kind n m T x (w : nat -> vector) beta th e (r : nat -> vector) :
  0 <= beta <= 1 -> 0 <= e ->
  (forall j t i k, (j < m)%nat -> (t < T)%nat -> (i < n)%nat -> (k < n)%nat ->
     0 <= (w j i * x t i) * (w j k * x t k)) ->
  let handed i t := sum m (fun j => w j i * x t i * s kind n T x (w j) 0 beta th e (r j) t) in
  sum n (fun i => sum T (fun t => Rabs (handed i t))) <= sum m (fun j => sum T (fun t => Rabs (r j t))).
Proof.
  intros Hbeta He Hagree handed.
  apply Rle_trans with (sum n (fun i => sum T (fun t => sum m (fun j =>
    Rabs (w j i * x t i * s kind n T x (w j) 0 beta th e (r j) t))))).
  { apply sum_le; intros i _. apply sum_le; intros t _. apply sum_abs. }
  rewrite (sum_ext n _ (fun i => sum m (fun j => sum T (fun t =>
    Rabs (w j i * x t i * s kind n T x (w j) 0 beta th e (r j) t))))) by (intros; apply sum_swap).
  rewrite sum_swap. apply sum_le; intros j Hj. rewrite sum_swap.
  pose proof (sizes_over_time kind n T x (w j) 0 beta th e (r j) Hbeta He
    (fun t i k Ht Hi Hk => Hagree j t i k Hj Ht Hi Hk)) as H. cbv zeta in H.
  rewrite (sum_zero T (fun t => Rabs (0 * _))) in H by (intros; rewrite Rmult_0_l; apply Rabs_R0). lra.
Qed.
