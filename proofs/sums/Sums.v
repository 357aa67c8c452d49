(** * Finite sums, the sign and the stabiliser: what all other files share

    A vector is a function from indices to reals; its size is said where it is summed. *)

From Coq Require Export Reals Lra Lia Arith.
Open Scope R_scope.

Definition vector := nat -> R.

(** [sum n f] is f 0 + f 1 + ... + f (n - 1). *)
Fixpoint sum (n : nat) (f : vector) : R :=
  match n with
  | O => 0
  | S m => sum m f + f m
  end.

(** sgn x = +1 for x >= 0, -1 for x < 0. Note sgn 0 = +1, as in the code. *)
Definition sgn (x : R) : R := if Rle_dec 0 x then 1 else -1.

(** stab (z, e) = z + e sgn z: z moved away from 0 by e. *)
Definition stab (z e : R) : R := z + e * sgn z.

(** r / d, and 0 where d is exactly 0: nothing flowed, nothing is shared. *)
Definition quotient (r d : R) : R := if Req_EM_T d 0 then 0 else r / d.

(** x+ = max (x, 0) and x- = min (x, 0). *)
Definition plus (x : R) : R := Rmax x 0.
Definition minus (x : R) : R := Rmin x 0.

(** [at_index i k] is 1 where the indices agree, 0 elsewhere. *)
Definition at_index (i k : nat) : R := if Nat.eqb i k then 1 else 0.

(** [join p f g]: the p entries of f, then those of g. *)
Definition join (p : nat) (f g : vector) : vector := fun k => if Nat.ltb k p then f k else g (k - p)%nat.

(** ** Sums *)

(** Sums of equal terms are equal. *)
Lemma sum_ext n f g : (forall i, (i < n)%nat -> f i = g i) -> sum n f = sum n g.
Proof.
  induction n as [|n IH]; intros H; simpl; [reflexivity|].
  rewrite IH, H; auto with arith.
Qed.

Lemma sum_plus n f g : sum n (fun i => f i + g i) = sum n f + sum n g.
Proof. induction n as [|n IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma sum_minus n f g : sum n (fun i => f i - g i) = sum n f - sum n g.
Proof. induction n as [|n IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma sum_scale n c f : sum n (fun i => c * f i) = c * sum n f.
Proof. induction n as [|n IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma sum_scale_right n c f : sum n (fun i => f i * c) = sum n f * c.
Proof. induction n as [|n IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma sum_zero n f : (forall i, (i < n)%nat -> f i = 0) -> sum n f = 0.
Proof.
  induction n as [|n IH]; intros H; simpl; [reflexivity|].
  rewrite IH, H; auto with arith; ring.
Qed.

(** The order of two sums does not matter. *)
Lemma sum_swap n m (f : nat -> nat -> R) :
  sum n (fun i => sum m (fun j => f i j)) = sum m (fun j => sum n (fun i => f i j)).
Proof.
  induction n as [|n IH]; simpl.
  - symmetry; apply sum_zero; reflexivity.
  - rewrite IH, <- sum_plus; reflexivity.
Qed.

Lemma sum_le n f g : (forall i, (i < n)%nat -> f i <= g i) -> sum n f <= sum n g.
Proof.
  induction n as [|n IH]; intros H; simpl; [lra|].
  apply Rplus_le_compat; auto with arith.
Qed.

Lemma sum_nonneg n f : (forall i, (i < n)%nat -> 0 <= f i) -> 0 <= sum n f.
Proof.
  induction n as [|n IH]; intros H; simpl; [lra|].
  apply Rplus_le_le_0_compat; auto with arith.
Qed.

(** A term of a sum of terms >= 0 is at most the sum. *)
Lemma sum_term_le n f k : (forall i, (i < n)%nat -> 0 <= f i) -> (k < n)%nat -> f k <= sum n f.
Proof.
  induction n as [|n IH]; intros H Hk; [lia|]. simpl.
  assert (0 <= sum n f) by (apply sum_nonneg; auto with arith).
  assert (0 <= f n) by auto with arith.
  destruct (Nat.eq_dec k n) as [->|Hne]; [lra|].
  assert (f k <= sum n f) by (apply IH; [auto with arith|lia]). lra.
Qed.

(** A sum of terms >= 0 is 0 only where every term is. *)
Lemma sum_nonneg_zero n f :
  (forall i, (i < n)%nat -> 0 <= f i) -> sum n f = 0 -> forall i, (i < n)%nat -> f i = 0.
Proof.
  intros H Hsum i Hi.
  assert (f i <= sum n f) by (apply sum_term_le; assumption).
  specialize (H i Hi). lra.
Qed.

(** A sum of terms >= 0, one of them > 0, is > 0. *)
Lemma sum_pos n f k : (forall i, (i < n)%nat -> 0 <= f i) -> (k < n)%nat -> 0 < f k -> 0 < sum n f.
Proof. intros H Hk Hpos. assert (f k <= sum n f) by (apply sum_term_le; assumption). lra. Qed.

Lemma sum_abs n f : Rabs (sum n f) <= sum n (fun i => Rabs (f i)).
Proof.
  induction n as [|n IH]; simpl; [rewrite Rabs_R0; lra|].
  apply Rle_trans with (1 := Rabs_triang _ _). lra.
Qed.

Lemma sum_const n c : sum n (fun _ => c) = INR n * c.
Proof. induction n as [|n IH]; [simpl; ring|]. rewrite S_INR. simpl sum. rewrite IH. ring. Qed.

Lemma at_index_same i : at_index i i = 1.
Proof. unfold at_index. rewrite Nat.eqb_refl. reflexivity. Qed.

Lemma at_index_other i k : i <> k -> at_index i k = 0.
Proof. intros H. unfold at_index. destruct (Nat.eqb_spec i k); [contradiction|reflexivity]. Qed.

(** at_index k i is 0 unless k = i, so next to it x_k may be called x_i. *)
Lemma at_index_rename (x : vector) k i : at_index k i * x k = at_index k i * x i.
Proof. unfold at_index. destruct (Nat.eqb_spec k i) as [->|_]; ring. Qed.

(** Of a sum over all indices, [at_index k] picks the k-th term. *)
Lemma sum_at_index n k x : (k < n)%nat -> sum n (fun i => at_index k i * x) = x.
Proof.
  induction n as [|n IH]; intros Hk; [lia|]. simpl. unfold at_index at 2.
  destruct (Nat.eqb_spec k n) as [->|Hne].
  - rewrite sum_zero; [ring|]. intros i Hi. unfold at_index.
    destruct (Nat.eqb_spec n i); [lia|ring].
  - rewrite IH by lia. ring.
Qed.

Lemma sum_join p q f g : sum (p + q) (join p f g) = sum p f + sum q g.
Proof.
  induction q as [|q IH].
  - rewrite Nat.add_0_r. simpl. rewrite Rplus_0_r. apply sum_ext. intros i Hi.
    unfold join. destruct (Nat.ltb_spec i p); [reflexivity|lia].
  - rewrite Nat.add_succ_r. simpl. rewrite IH. unfold join at 1.
    destruct (Nat.ltb_spec (p + q) p); [lia|]. replace (p + q - p)%nat with q by lia. ring.
Qed.

Lemma sum_join_product p q f f' g g' :
  sum (p + q) (fun k => join p f f' k * join p g g' k) = sum p (fun k => f k * g k) + sum q (fun k => f' k * g' k).
Proof. rewrite <- sum_join. apply sum_ext; intros k _. unfold join. destruct (Nat.ltb k p); reflexivity. Qed.

(** A sum in two parts, and one in m rows of n. *)
Lemma sum_split p q f : sum (p + q) f = sum p f + sum q (fun k => f (p + k)%nat).
Proof.
  induction q as [|q IH]; [rewrite Nat.add_0_r; simpl; ring|].
  rewrite Nat.add_succ_r. simpl. rewrite IH. ring.
Qed.

Lemma sum_rows m n f : sum (m * n) f = sum m (fun j => sum n (fun i => f (j * n + i)%nat)).
Proof.
  induction m as [|m IH]; [reflexivity|]. simpl sum at 2. rewrite <- IH, <- sum_split. f_equal. simpl. lia.
Qed.

(** A vector of rows of n, one after the other (samples, or steps of time): row t, and rows put together. *)
Definition row (n : nat) (a : vector) (t : nat) : vector := fun i => a (t * n + i)%nat.
Definition in_rows (n : nat) (f : nat -> vector) : vector := fun k => f (k / n)%nat (k mod n)%nat.

Lemma div_at n t i : (i < n)%nat -> ((t * n + i) / n = t)%nat.
Proof. intros Hi. rewrite Nat.div_add_l, Nat.div_small by lia. lia. Qed.

Lemma mod_at n t i : (i < n)%nat -> ((t * n + i) mod n = i)%nat.
Proof. intros Hi. rewrite Nat.add_comm, Nat.mod_add, Nat.mod_small by lia. reflexivity. Qed.

Lemma in_rows_at n f t i : (i < n)%nat -> in_rows n f (t * n + i)%nat = f t i.
Proof. intros Hi. unfold in_rows. rewrite div_at, mod_at by exact Hi. reflexivity. Qed.

Lemma row_and_place T n k : (k < T * n)%nat -> exists t i, (t < T)%nat /\ (i < n)%nat /\ k = (t * n + i)%nat.
Proof.
  intros Hk. exists (k / n)%nat, (k mod n)%nat. assert (n <> 0)%nat by nia. repeat split.
  - apply Nat.div_lt_upper_bound; lia.
  - apply Nat.mod_upper_bound. assumption.
  - rewrite (Nat.div_mod k n) at 1 by assumption. lia.
Qed.

Lemma row_below T n t i : (t < T)%nat -> (i < n)%nat -> (t * n + i < T * n)%nat.
Proof. nia. Qed.

Lemma sum_in_rows T n f : sum (T * n) (in_rows n f) = sum T (fun t => sum n (f t)).
Proof. rewrite sum_rows. apply sum_ext; intros t _. apply sum_ext; intros i Hi. apply in_rows_at, Hi. Qed.

(** ** Sign and stabiliser *)

Lemma sgn_cases x : (0 <= x /\ sgn x = 1) \/ (x < 0 /\ sgn x = -1).
Proof. unfold sgn. destruct (Rle_dec 0 x); [left|right]; lra. Qed.

(** At 0 the sign is +1, so the stabiliser moves 0 up. *)
Lemma sgn_0 : sgn 0 = 1.
Proof. destruct (sgn_cases 0) as [[_ E]|[H _]]; [exact E|lra]. Qed.

Lemma stab_at_0 e : stab 0 e = e.
Proof. unfold stab. rewrite sgn_0. ring. Qed.

(** sgn x * x = |x|, and |x| * sgn x = x. *)
Lemma sgn_mult x : sgn x * x = Rabs x.
Proof.
  destruct (sgn_cases x) as [[H ->]|[H ->]]; [rewrite Rabs_right|rewrite Rabs_left]; lra.
Qed.

Lemma sgn_sq x : sgn x * sgn x = 1.
Proof. destruct (sgn_cases x) as [[_ ->]|[_ ->]]; lra. Qed.

Lemma sgn_abs x : Rabs (sgn x) = 1.
Proof. destruct (sgn_cases x) as [[_ ->]|[_ ->]]; unfold Rabs; destruct Rcase_abs; lra. Qed.

(** stab z e = sgn z (|z| + e). *)
Lemma stab_abs z e : stab z e = sgn z * (Rabs z + e).
Proof. unfold stab. rewrite <- sgn_mult. destruct (sgn_cases z) as [[_ ->]|[_ ->]]; ring. Qed.

Lemma stab_zero z : stab z 0 = z.
Proof. unfold stab; ring. Qed.

(** The stabiliser keeps a denominator other than 0 where there was one before, and with e > 0 everywhere. *)
Lemma stab_nonzero z e : 0 <= e -> z <> 0 -> stab z e <> 0.
Proof. intros He Hz. unfold stab. destruct (sgn_cases z) as [[H ->]|[H ->]]; lra. Qed.

Lemma stab_nonzero_pos z e : 0 < e -> stab z e <> 0.
Proof. intros He. unfold stab. destruct (sgn_cases z) as [[H ->]|[H ->]]; lra. Qed.

Lemma quotient_div r d : d <> 0 -> quotient r d = r / d.
Proof. intros H. unfold quotient. destruct Req_EM_T; [contradiction|reflexivity]. Qed.

Lemma quotient_0 r : quotient r 0 = 0.
Proof. unfold quotient. destruct Req_EM_T; [reflexivity|lra]. Qed.

Lemma quotient_zero_reward d : quotient 0 d = 0.
Proof. unfold quotient. destruct Req_EM_T; [|unfold Rdiv]; ring. Qed.

Lemma quotient_mult r d : d <> 0 -> quotient r d * d = r.
Proof. intros H. rewrite quotient_div by assumption. field. assumption. Qed.

Lemma square_nonneg x : 0 <= x ^ 2.
Proof. apply pow2_ge_0. Qed.

Lemma square_pos x : x <> 0 -> 0 < x ^ 2.
Proof. intros H. replace (x ^ 2) with (Rsqr x) by (unfold Rsqr; ring). apply Rsqr_pos_lt, H. Qed.

(** Of numbers of one sign, the size of the sum is the sum of the sizes. *)
Lemma sum_of_one_sign n p :
  (forall i k, (i < n)%nat -> (k < n)%nat -> 0 <= p i * p k) -> sum n (fun i => Rabs (p i)) <= Rabs (sum n p).
Proof.
  induction n as [|m IH]; intros H; simpl; [rewrite Rabs_R0; lra|].
  assert (Hm : sum m (fun i => Rabs (p i)) <= Rabs (sum m p)) by (apply IH; auto with arith).
  assert (Hsign : 0 <= sum m p * p m).
  { rewrite <- sum_scale_right. apply sum_nonneg; intros; apply H; lia. }
  apply Rle_trans with (Rabs (sum m p) + Rabs (p m)); [lra|]. clear - Hsign.
  generalize dependent (sum m p). generalize (p m). intros y x Hxy.
  unfold Rabs. destruct (Rcase_abs x) as [Hx|Hx], (Rcase_abs y) as [Hy|Hy], (Rcase_abs (x + y)); try lra.
  all: assert (x * y < 0 \/ x = 0 \/ y = 0) by
    (destruct (Req_dec x 0), (Req_dec y 0); auto; left;
     first [assert (0 < - x * y) by (apply Rmult_lt_0_compat; lra); lra
           |assert (0 < x * - y) by (apply Rmult_lt_0_compat; lra); lra]); lra.
Qed.

(** ** Sums over lists (the groups of a rule, the terms of a group) *)

From Coq Require Export List.
Export ListNotations.

Fixpoint sum_list {A : Type} (l : list A) (f : A -> R) : R :=
  match l with
  | [] => 0
  | x :: rest => f x + sum_list rest f
  end.

Lemma sum_list_ext {A} (l : list A) f g : (forall x, f x = g x) -> sum_list l f = sum_list l g.
Proof. intros H. induction l as [|x l IH]; simpl; [|rewrite IH, H]; reflexivity. Qed.

Lemma sum_list_plus {A} (l : list A) f g : sum_list l (fun x => f x + g x) = sum_list l f + sum_list l g.
Proof. induction l as [|x l IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma sum_list_scale_right {A} (l : list A) c f : sum_list l (fun x => f x * c) = sum_list l f * c.
Proof. induction l as [|x l IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma sum_sum_list {A} n (l : list A) (f : nat -> A -> R) :
  sum n (fun i => sum_list l (fun x => f i x)) = sum_list l (fun x => sum n (fun i => f i x)).
Proof.
  induction l as [|x l IH]; simpl; [apply sum_zero; reflexivity|].
  rewrite sum_plus, IH. reflexivity.
Qed.
