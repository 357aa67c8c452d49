(** * Backpropagation's recursion is the derivative, for whole networks

    Equivalence.v compares LFP-0 with the gradient as its recursion defines it. Here: that recursion is the derivative
    of the network's output in its parameters, at any depth and nesting, wherever activations are differentiable at the
    values that occur and each max pool has a single winner. *)

From Coq Require Import FunctionalExtensionality.
From LFP Require Import sums.Sums sums.Network conservation.Conservation equivalence.Equivalence.

(** The network with every parameter k moved by t v_k. *)
Definition below_size (p : nat) (v : vector) : vector := fun k => if Nat.ltb k p then v k else 0.

Fixpoint shifted {n m} (N : net n m) (v : vector) (t : R) : net n m :=
  match N with
  | Linear L weights biases w b rho =>
      Linear L weights biases (fun k => w k + t * below_size weights v k)
        (fun k => b k + t * below_size biases (fun k => v (weights + k)%nat) k) rho
  | Activation phi derivative => Activation phi derivative
  | MaxPool W => MaxPool W
  | Dropout keep scale => Dropout keep scale
  | Coupled C p => Coupled C (fun k => p k + t * below_size (parameters C) v k)
  | Each T each => Each T (shifted each v t)
  | Residual body shortcut e => Residual (shifted body v t) (shifted shortcut (fun k => v (size body + k)%nat) t) e
  | Then below above => Then (shifted below v t) (shifted above (fun k => v (size below + k)%nat) t)
  end.

Lemma size_of_shifted {n m} (N : net n m) : forall v t, size (shifted N v t) = size N.
Proof. induction N; intros v t; simpl; rewrite ?IHN1, ?IHN2; auto. Qed.

(** It does move parameter k by t v_k, and nothing else (by definition). *)
Lemma shifted_moves_each_parameter {n m} (N : net n m) : forall v t k, (k < size N)%nat ->
  parameter (shifted N v t) k = parameter N k + t * v k.
Proof.
  induction N; intros v t k' Hk; simpl in Hk |- *; try lia; unfold join.
  - destruct (Nat.ltb_spec k' weights) as [H|H]; unfold below_size.
    + destruct (Nat.ltb_spec k' weights); [reflexivity|lia].
    + destruct (Nat.ltb_spec (k' - weights) biases); [|lia]. replace (weights + (k' - weights))%nat with k' by lia.
      reflexivity.
  - unfold below_size. destruct (Nat.ltb_spec k' (parameters C)); [reflexivity|lia].
  - apply IHN, Hk.
  - rewrite size_of_shifted. destruct (Nat.ltb_spec k' (size N1)) as [H|H]; [apply IHN1, H|].
    rewrite IHN2 by lia. replace (size N1 + (k' - size N1))%nat with k' by lia. reflexivity.
  - rewrite size_of_shifted. destruct (Nat.ltb_spec k' (size N1)) as [H|H]; [apply IHN1, H|].
    rewrite IHN2 by lia. replace (size N1 + (k' - size N1))%nat with k' by lia. reflexivity.
Qed.

(** Outputs that stay exactly as they are when parameters move a little; K: inputs that do. Silent ReLUs are such. *)
Fixpoint still {n m} (N : net n m) (a : vector) (K : nat -> Prop) : nat -> Prop :=
  match N with
  | Linear _ _ _ _ _ _ => fun _ => False
  | Activation phi _ =>
      fun i => K i \/ exists delta, 0 < delta /\ forall u, Rabs (u - a i) < delta -> phi u = phi (a i)
  | MaxPool W => fun j => K (winner W a j)
  | Dropout keep _ => fun i => K i \/ keep i = false
  | Coupled _ _ => fun _ => False
  | @Each n m T each => fun j =>
      still each (row n a (j / m)) (fun i => K (j / m * n + i)%nat) (j mod m)
  | Residual body shortcut _ => fun j => still body a K j /\ still shortcut a K j
  | Then below above => still above (forward below a) (still below a K)
  end.

(** A layer that couples samples or steps is differentiable at input a, and what it does on the way back is the
    transposed derivative: in its parameters, moved along v, and in its input, moved along a curve. *)
Definition differentiable {n m} (C : coupled n m) (p a : vector) : Prop :=
  forall (A : R -> vector) (A' v : vector), A 0 = a ->
  (forall i, (i < n)%nat -> derivable_pt_lim (fun t => A t i) 0 (A' i)) ->
  exists Y' : vector,
    (forall j, (j < m)%nat ->
       derivable_pt_lim (fun t => outputs C (fun k => p k + t * below_size (parameters C) v k) (A t) j) 0 (Y' j))
    /\ forall d, sum m (fun j => d j * Y' j)
                = sum n (fun i => by_input C p a (slopes C p a d) i * A' i)
                  + sum (parameters C) (fun k => by_parameter C p a (slopes C p a d) k * v k).

(** Differentiable at input a, of which the entries K stay as they are: activations have their derivative there; of a
    window's maxima there is one, or they all stay as they are (a window of silent ReLUs). *)
Fixpoint smooth_given {n m} (N : net n m) (a : vector) (K : nat -> Prop) : Prop :=
  match N with
  | Linear _ _ _ _ _ _ => True
  | @Activation n phi derivative => forall i, (i < n)%nat -> derivable_pt_lim phi (a i) (derivative (a i))
  | @MaxPool _ m W =>
      forall j, (j < m)%nat -> forall i, In i (first W j :: others W j) -> i <> winner W a j ->
        a i < a (winner W a j) \/ a i = a (winner W a j) /\ K i /\ K (winner W a j)
  | Dropout _ _ => True
  | Coupled C p => differentiable C p a
  | @Each n m T each =>
      forall t, (t < T)%nat -> smooth_given each (row n a t) (fun i => K (t * n + i)%nat)
  | Residual body shortcut _ => smooth_given body a K /\ smooth_given shortcut a K
  | Then below above => smooth_given below a K /\ smooth_given above (forward below a) (still below a K)
  end.
Definition smooth_at {n m} (N : net n m) (a : vector) : Prop := smooth_given N a (fun _ => False).

(** A ReLU below 0 stays as it is. *)
Lemma silent_relus_are_still n q derivative a K i : q = 0 -> a i < 0 ->
  still (@Activation n (two_slopes 1 q) derivative) a K i.
Proof.
  intros -> Ha. right. exists (- a i). split; [lra|]. intros u Hu. apply Rabs_def2 in Hu. unfold two_slopes.
  destruct (Rlt_dec 0 u), (Rlt_dec 0 (a i)); lra.
Qed.

Lemma shifted_by_nothing {n m} (N : net n m) : forall v, shifted N v 0 = N.
Proof.
  induction N; intros v; simpl; try reflexivity.
  - f_equal; apply functional_extensionality; intros k; ring.
  - f_equal; apply functional_extensionality; intros k; ring.
  - rewrite IHN. reflexivity.
  - rewrite IHN1, IHN2. reflexivity.
  - rewrite IHN1, IHN2. reflexivity.
Qed.

(** ** Rules of differentiation at t = 0 *)

Definition derivative_at_0 (f : R -> R) (l : R) : Prop := derivable_pt_lim f 0 l.

Lemma d_same f g l : (forall t, f t = g t) -> derivative_at_0 f l -> derivative_at_0 g l.
Proof. intros H. apply derivable_pt_lim_near with (delta := 1); [lra|]. intros; apply H. Qed.

Lemma d_const c : derivative_at_0 (fun _ => c) 0.
Proof. apply derivable_pt_lim_const. Qed.

Lemma d_affine c s : derivative_at_0 (fun t => c + t * s) s.
Proof.
  assert (H : derivative_at_0 (fun t => id (c + t * s)) (1 * s)) by apply derivative_along, derivable_pt_lim_id.
  rewrite Rmult_1_l in H. exact H.
Qed.

Lemma d_plus f g f' g' : derivative_at_0 f f' -> derivative_at_0 g g' -> derivative_at_0 (fun t => f t + g t) (f' + g').
Proof. exact (derivable_pt_lim_plus f g 0 f' g'). Qed.

Lemma d_mult f g f' g' :
  derivative_at_0 f f' -> derivative_at_0 g g' -> derivative_at_0 (fun t => f t * g t) (f' * g 0 + f 0 * g').
Proof. exact (derivable_pt_lim_mult f g 0 f' g'). Qed.

Lemma d_scale c f f' : derivative_at_0 f f' -> derivative_at_0 (fun t => c * f t) (c * f').
Proof.
  intros H. replace (c * f') with (0 * f 0 + c * f') by ring. apply d_mult; [apply d_const|exact H].
Qed.

Lemma d_inverse f f' : f 0 <> 0 -> derivative_at_0 f f' -> derivative_at_0 (fun t => / f t) (- f' / f 0 ^ 2).
Proof.
  intros Hne H. replace (- f' / f 0 ^ 2) with ((0 * f 0 - f' * fct_cte 1 0) / Rsqr (f 0))
    by (unfold fct_cte, Rsqr; field; exact Hne).
  apply d_same with (f := (fct_cte 1 / f)%F).
  - intros t. unfold div_fct, fct_cte, Rdiv. ring.
  - apply derivable_pt_lim_div; [apply derivable_pt_lim_const|exact H|exact Hne].
Qed.

Lemma d_sum n (f : R -> vector) (f' : vector) :
  (forall i, (i < n)%nat -> derivative_at_0 (fun t => f t i) (f' i)) ->
  derivative_at_0 (fun t => sum n (f t)) (sum n f').
Proof.
  induction n as [|n IH]; intros H; simpl; [apply d_const|].
  apply (d_plus (fun t => sum n (f t)) (fun t => f t n)); auto with arith.
Qed.

(** What is smaller at 0 is smaller nearby. *)
Lemma still_smaller f g f' g' :
  derivative_at_0 f f' -> derivative_at_0 g g' -> f 0 < g 0 ->
  exists delta, 0 < delta /\ forall t, Rabs t < delta -> f t < g t.
Proof.
  intros Hf Hg Hlt.
  assert (Hd : derivative_at_0 (fun t => g t + -1 * f t) (g' + -1 * f'))
    by (apply d_plus; [|apply d_scale]; assumption).
  pose proof (derivable_continuous_pt _ 0 (exist _ _ Hd)) as Hc.
  destruct (Hc (g 0 + -1 * f 0)) as [delta [Hpos H]]; [lra|]. exists delta. split; [assumption|]. intros t Ht.
  destruct (Req_dec t 0) as [->|Hne]; [assumption|].
  specialize (H t). simpl in H. unfold R_dist in H.
  assert (Hclose : Rabs (g t + -1 * f t - (g 0 + -1 * f 0)) < g 0 + -1 * f 0).
  { apply H. split; [split; [exact I|auto]|]. rewrite Rminus_0_r. exact Ht. }
  apply Rabs_def2 in Hclose. lra.
Qed.

(** ** Max pooling: near t = 0 the winner stays *)

Definition near_0 (P : R -> Prop) : Prop := exists delta, 0 < delta /\ forall t, Rabs t < delta -> P t.
Definition constant_near (f : R -> R) : Prop := near_0 (fun t => f t = f 0).

Lemma near_and P Q : near_0 P -> near_0 Q -> near_0 (fun t => P t /\ Q t).
Proof.
  intros [d [Hd HP]] [e [He HQ]]. exists (Rmin d e). split; [apply Rmin_glb_lt; assumption|]. intros t Ht.
  pose proof (Rmin_l d e). pose proof (Rmin_r d e). split; [apply HP|apply HQ]; lra.
Qed.

Lemma near_weaker (P Q : R -> Prop) : (forall t, P t -> Q t) -> near_0 P -> near_0 Q.
Proof. intros H [d [Hd HP]]. exists d. split; [exact Hd|]. intros t Ht. apply H, HP, Ht. Qed.

Lemma near_all (P : nat -> R -> Prop) : forall l, (forall i, In i l -> near_0 (P i)) -> near_0 (fun t => Forall (fun i => P i t) l).
Proof.
  induction l as [|i l IH]; intros H; [exists 1; split; [lra|intros; constructor]|].
  apply near_weaker with (P := fun t => P i t /\ Forall (fun i => P i t) l); [intros t [H1 H2]; constructor; assumption|].
  apply near_and; [apply H; left; reflexivity|apply IH; intros k Hk; apply H; right; exact Hk].
Qed.

Lemma first_maximum_is_the_winner a y : forall challengers leader p q,
  leader :: challengers = p ++ y :: q -> Forall (fun i => a i < a y) p -> Forall (fun i => a i <= a y) q ->
  best a leader challengers = y.
Proof.
  induction challengers as [|i rest IH]; intros leader p q E Hp Hq.
  - destruct p as [|x p]; simpl in E; injection E as E1 E2; [exact E1|destruct p; discriminate].
  - destruct p as [|x p]; simpl in E; injection E as E1 E2.
    + subst y q. simpl. pose proof (Forall_inv Hq) as Hi. simpl in Hi.
      destruct (Rlt_dec (a leader) (a i)); [lra|].
      apply (IH leader [] rest); [reflexivity|constructor|exact (Forall_inv_tail Hq)].
    + subst x. pose proof (Forall_inv Hp) as Hleader. simpl in Hleader. apply Forall_inv_tail in Hp.
      destruct p as [|x p]; simpl in E2; injection E2 as E2 E3.
      * subst i rest. simpl. destruct (Rlt_dec (a leader) (a y)); [|lra].
        apply (IH y [] q); [reflexivity|constructor|exact Hq].
      * subst x. pose proof (Forall_inv Hp) as Hi. simpl in Hi. apply Forall_inv_tail in Hp. simpl.
        destruct (Rlt_dec (a leader) (a i)).
        -- apply (IH i (i :: p) q); [simpl; f_equal; exact E3|constructor; assumption|exact Hq].
        -- apply (IH leader (leader :: p) q); [simpl; f_equal; exact E3|constructor; assumption|exact Hq].
Qed.

Lemma best_is_one_of_them a : forall challengers leader, In (best a leader challengers) (leader :: challengers).
Proof.
  induction challengers as [|i rest IH]; intros leader; simpl; [auto|].
  destruct (IH (if Rlt_dec (a leader) (a i) then i else leader)) as [H|H]; [|auto].
  rewrite <- H. destruct Rlt_dec; auto.
Qed.

Lemma winner_stays {n m} (W : windows n m) (A : R -> vector) (A' : vector) (K : nat -> Prop) j : (j < m)%nat ->
  (forall i, In i (first W j :: others W j) -> i <> winner W (A 0) j ->
     A 0 i < A 0 (winner W (A 0) j) \/ A 0 i = A 0 (winner W (A 0) j) /\ K i /\ K (winner W (A 0) j)) ->
  (forall i, (i < n)%nat -> derivative_at_0 (fun t => A t i) (A' i)) ->
  (forall i, (i < n)%nat -> K i -> constant_near (fun t => A t i)) ->
  near_0 (fun t => winner W (A t) j = winner W (A 0) j).
Proof.
  intros Hj Hsmooth HA HK. set (y := winner W (A 0) j) in *.
  assert (Hinside : forall i, In i (first W j :: others W j) -> (i < n)%nat).
  { intros i [<-|Hi]; [apply first_inside; assumption|].
    exact (proj1 (Forall_forall _ _) (others_inside W j Hj) i Hi). }
  assert (Hy : In y (first W j :: others W j)) by apply best_is_one_of_them.
  destruct (winner_is_the_first_maximum (A 0) (others W j) (first W j)) as [p [q [E [Hp Hq]]]].
  change (best (A 0) (first W j) (others W j)) with y in E, Hp, Hq.
  assert (Hin : forall i, In i p \/ In i q -> In i (first W j :: others W j)).
  { intros i Hi. rewrite E. apply in_or_app. simpl. destruct Hi; auto. }
  assert (Hstrict : forall i, In i (first W j :: others W j) -> A 0 i < A 0 y -> near_0 (fun t => A t i < A t y)).
  { intros i Hi Hlt. apply (still_smaller (fun t => A t i) (fun t => A t y) (A' i) (A' y)); auto. }
  apply near_weaker with (P := fun t => Forall (fun i => A t i < A t y) p /\ Forall (fun i => A t i <= A t y) q).
  - intros t [H1 H2]. unfold winner. apply (first_maximum_is_the_winner _ _ _ _ p q E H1 H2).
  - apply near_and; apply (near_all (fun i t => _)).
    + intros i Hi. apply Hstrict; [apply Hin; auto|]. exact (proj1 (Forall_forall _ _) Hp i Hi).
    + intros i Hi. pose proof (proj1 (Forall_forall _ _) Hq i Hi) as Hle. cbv beta in Hle.
      destruct (Nat.eq_dec i y) as [->|Hne]; [exists 1; split; [lra|intros; lra]|].
      destruct (Hsmooth i ltac:(apply Hin; auto) Hne) as [Hlt|[Heq [Ki Ky]]].
      * apply near_weaker with (P := fun t => A t i < A t y); [intros; lra|apply Hstrict; [apply Hin; auto|exact Hlt]].
      * apply near_weaker with (P := fun t => A t i = A 0 i /\ A t y = A 0 y); [intros t [-> ->]; lra|].
        apply near_and; [apply (HK i); auto|apply (HK y); auto].
Qed.

(** ** Sums that scatter, read the other way round *)

Lemma scatter_one p s x f : sum p (fun i => at_index s i * x * f i) = x * below_size p f s.
Proof.
  unfold below_size. destruct (Nat.ltb_spec s p) as [H|H].
  - rewrite <- (sum_at_index p s (x * f s) H). apply sum_ext; intros i _.
    replace (at_index s i * x * f i) with (x * (at_index s i * f i)) by ring. rewrite <- at_index_rename. ring.
  - rewrite Rmult_0_r. apply sum_zero; intros i Hi. unfold at_index. destruct (Nat.eqb_spec s i); [lia|ring].
Qed.

Lemma scatter p m (fan_ : nat -> nat) (s : nat -> nat -> nat) (x : nat -> nat -> R) f :
  sum p (fun i => sum m (fun j => sum (fan_ j) (fun c => at_index (s j c) i * x j c)) * f i)
  = sum m (fun j => sum (fan_ j) (fun c => x j c * below_size p f (s j c))).
Proof.
  rewrite (sum_ext p _ (fun i => sum m (fun j => sum (fan_ j) (fun c => at_index (s j c) i * x j c * f i)))).
  - rewrite sum_swap. apply sum_ext; intros j _. rewrite sum_swap. apply sum_ext; intros c _. apply scatter_one.
  - intros i _. rewrite <- sum_scale_right. apply sum_ext; intros j _. rewrite <- sum_scale_right. reflexivity.
Qed.

Lemma sum_join_times p q f g (v : vector) :
  sum (p + q) (fun k => join p f g k * v k) = sum p (fun k => f k * v k) + sum q (fun k => g k * v (p + k)%nat).
Proof.
  rewrite <- sum_join. apply sum_ext; intros k _. unfold join. destruct (Nat.ltb_spec k p); [reflexivity|].
  replace (p + (k - p))%nat with k by lia. reflexivity.
Qed.

(** Finitely many rows, each with something: all of them together. *)
Lemma rows_with (P : nat -> vector -> Prop) T :
  (forall t, (t < T)%nat -> exists y, P t y) -> exists Y : nat -> vector, forall t, (t < T)%nat -> P t (Y t).
Proof.
  induction T as [|T IH]; intros H; [exists (fun _ _ => 0); intros; lia|].
  destruct IH as [Y HY]; [intros; apply H; lia|]. destruct (H T ltac:(lia)) as [y Hy].
  exists (fun t => if Nat.eqb t T then y else Y t). intros t Ht.
  destruct (Nat.eqb_spec t T) as [->|Hne]; [assumption|apply HY; lia].
Qed.

(** ** The theorem

    Move all parameters along v and the input along a curve A (t) with A (0) = a and derivative A'. Then the output has
    a derivative Y', and for every d
        sum_j d_j Y'_j = sum_i backprop_i A'_i + sum_k gradient_k v_k:
    backpropagation is the transpose of the derivative. *)
Theorem backpropagation_is_the_transposed_derivative {n m} (N : net n m) :
  forall (A : R -> vector) (A' v : vector) (K : nat -> Prop),
  smooth_given N (A 0) K ->
  (forall i, (i < n)%nat -> derivative_at_0 (fun t => A t i) (A' i)) ->
  (forall i, (i < n)%nat -> K i -> constant_near (fun t => A t i)) ->
  exists Y' : vector,
    (forall j, (j < m)%nat -> derivative_at_0 (fun t => forward (shifted N v t) (A t) j) (Y' j)) /\
    (forall d, sum m (fun j => d j * Y' j)
              = sum n (fun i => backprop N (A 0) d i * A' i) + sum (size N) (fun k => gradient N (A 0) d k * v k)) /\
    forall j, (j < m)%nat -> still N (A 0) K j -> constant_near (fun t => forward (shifted N v t) (A t) j).
Proof.
  induction N; intros A A' v K Hsmooth HA HK; simpl in Hsmooth.
  - (* Linear *)
    set (vw := below_size weights v). set (vb := below_size biases (fun k => v (weights + k)%nat)).
    exists (fun j =>
      sum (fan L j) (fun c => vw (which L j c) * A 0 (source L j c) + w (which L j c) * A' (source L j c))
      + vb (which_bias L j)).
    split.
    + intros j _. simpl. unfold pre_activation, weighted.
      apply (d_plus (fun t => sum (fan L j) (fun c => (w (which L j c) + t * vw (which L j c)) * A t (source L j c)))
                    (fun t => b (which_bias L j) + t * vb (which_bias L j))); [|apply d_affine].
      apply (d_sum (fan L j) (fun t c => (w (which L j c) + t * vw (which L j c)) * A t (source L j c))).
      intros c Hc. pose proof (d_mult _ _ _ _ (d_affine (w (which L j c)) (vw (which L j c)))
                                 (HA (source L j c) (inside L j c Hc))) as H.
      simpl in H. rewrite Rmult_0_l, Rplus_0_r in H. exact H.
    + split; [|intros j _ []]. intros d. simpl. rewrite sum_join_times.
      unfold gradient_input, gradient_weight, gradient_bias. rewrite !scatter.
      rewrite (sum_ext biases _ (fun k => sum m (fun j => sum 1 (fun _ => at_index (which_bias L j) k * d j))
                                         * v (weights + k)%nat))
        by (intros k _; f_equal; apply sum_ext; intros; simpl; ring).
      rewrite (scatter biases m (fun _ => 1%nat) (fun j _ => which_bias L j) (fun j _ => d j)
                 (fun k => v (weights + k)%nat)).
      rewrite <- !sum_plus. apply sum_ext; intros j _. rewrite Rmult_plus_distr_l, <- sum_scale, <- Rplus_assoc.
      rewrite <- sum_plus. f_equal; [|simpl; unfold vb; ring].
      apply sum_ext; intros c Hc. pose proof (inside L j c Hc) as Hin. unfold vw.
      assert (E : below_size n A' (source L j c) = A' (source L j c))
        by (unfold below_size; destruct (Nat.ltb_spec (source L j c) n); [reflexivity|lia]).
      rewrite E. ring.
  - (* Activation *)
    exists (fun i => derivative (A 0 i) * A' i). split.
    + intros i Hi. simpl. apply (derivable_pt_lim_comp (fun t => A t i) phi); [apply HA|apply Hsmooth]; assumption.
    + split; [intros d; simpl; rewrite Rplus_0_r; apply sum_ext; intros; ring|].
      intros i Hi [Ki|[delta [Hdelta Hflat]]]; simpl.
      * apply near_weaker with (2 := HK i Hi Ki). intros t ->. reflexivity.
      * pose proof (derivable_continuous_pt _ 0 (exist _ _ (HA i Hi))) as Hc.
        destruct (Hc delta Hdelta) as [e [He Hnear]]. exists e. split; [exact He|]. intros t Ht.
        destruct (Req_dec t 0) as [->|Hne]; [reflexivity|]. apply Hflat. specialize (Hnear t). simpl in Hnear.
        unfold R_dist in Hnear. apply Hnear. split; [split; [exact I|auto]|]. rewrite Rminus_0_r. exact Ht.
  - (* MaxPool *)
    assert (Hstays : forall j, (j < m)%nat -> near_0 (fun t => winner W (A t) j = winner W (A 0) j))
      by (intros j Hj; apply (winner_stays W A A' K j Hj (Hsmooth j Hj) HA HK)).
    exists (fun j => A' (winner W (A 0) j)). split; [|split].
    + intros j Hj. simpl. destruct (Hstays j Hj) as [delta [Hdelta H]].
      apply derivable_pt_lim_near with (f := fun t => A t (winner W (A 0) j)) (delta := delta); [exact Hdelta| |].
      * intros t Ht. rewrite Rminus_0_r in Ht. rewrite (H t Ht). reflexivity.
      * apply HA, winner_inside, Hj.
    + intros d. simpl. rewrite Rplus_0_r.
      rewrite (sum_ext n _ (fun i => sum m (fun j => sum 1 (fun _ => at_index (winner W (A 0) j) i * d j)) * A' i))
        by (intros i _; f_equal; apply sum_ext; intros; simpl; ring).
      rewrite (scatter n m (fun _ => 1%nat) (fun j _ => winner W (A 0) j) (fun j _ => d j) A').
      apply sum_ext; intros j Hj. simpl. rewrite Rplus_0_l. f_equal. unfold below_size.
      assert (Hin : (winner W (A 0%R) j < n)%nat).
      { destruct (best_is_one_of_them (A 0) (others W j) (first W j)) as [E|E].
        - unfold winner. rewrite <- E. apply first_inside, Hj.
        - exact (proj1 (Forall_forall _ _) (others_inside W j Hj) _ E). }
      destruct (Nat.ltb_spec (winner W (A 0) j) n); [reflexivity|lia].
    + intros j Hj Kj. simpl. simpl in Kj.
      apply near_weaker with (2 := near_and _ _ (Hstays j Hj) (HK _ (winner_inside W (A 0) j Hj) Kj)).
      intros t [-> ->]. reflexivity.
  - (* Dropout *)
    exists (fun i => if_kept (keep i) (scale * A' i)). split; [|split].
    + intros i Hi. simpl. unfold if_kept. destruct (keep i); [apply d_scale, HA, Hi|apply d_const].
    + intros d. simpl. rewrite Rplus_0_r. apply sum_ext; intros i _. unfold if_kept. destruct (keep i); ring.
    + intros i Hi Hstill. simpl. destruct Hstill as [Ki|E]; unfold if_kept.
      * apply near_weaker with (2 := HK i Hi Ki). intros t ->. reflexivity.
      * rewrite E. exists 1. split; [lra|reflexivity].
  - (* Coupled *)
    destruct (Hsmooth A A' v eq_refl HA) as [Y' [D E]]. exists Y'. split; [exact D|]. split; [exact E|intros j _ []].
  - (* Each *)
    destruct (rows_with (fun t y =>
        (forall j, (j < m)%nat -> derivative_at_0 (fun u => forward (shifted N v u) (row n (A u) t) j) (y j)) /\
        (forall d, sum m (fun j => d j * y j)
                   = sum n (fun i => backprop N (row n (A 0) t) d i * row n A' t i)
                     + sum (size N) (fun k => gradient N (row n (A 0) t) d k * v k)) /\
        forall j, (j < m)%nat -> still N (row n (A 0) t) (fun i => K (t * n + i)%nat) j ->
          constant_near (fun u => forward (shifted N v u) (row n (A u) t) j)) T) as [Y HY].
    { intros t Ht. apply (IHN (fun u => row n (A u) t) (row n A' t) v (fun i => K (t * n + i)%nat)).
      - apply Hsmooth, Ht.
      - intros i Hi. apply HA, row_below; assumption.
      - intros i Hi. apply HK, row_below; assumption. }
    exists (in_rows m Y). split; [|split].
    + intros j Hj. destruct (row_and_place T m j Hj) as [t [j' [Ht [Hj' ->]]]]. rewrite in_rows_at by assumption.
      apply d_same with (2 := proj1 (HY t Ht) j' Hj'). intros u. simpl. rewrite in_rows_at by assumption. reflexivity.
    + intros d. simpl. rewrite !sum_rows.
      rewrite (sum_ext T _ (fun t => sum n (fun i => backprop N (row n (A 0) t) (row m d t) i * row n A' t i)
                                     + sum (size N) (fun k => gradient N (row n (A 0) t) (row m d t) k * v k))).
      * rewrite sum_plus. f_equal.
        -- apply sum_ext; intros t Ht. apply sum_ext; intros i Hi. rewrite in_rows_at by assumption. reflexivity.
        -- rewrite sum_swap. apply sum_ext; intros k _. apply sum_scale_right.
      * intros t Ht. rewrite <- (proj1 (proj2 (HY t Ht)) (row m d t)). apply sum_ext; intros j Hj.
        rewrite in_rows_at by assumption. reflexivity.
    + intros j Hj Hstill. destruct (row_and_place T m j Hj) as [t [j' [Ht [Hj' ->]]]]. simpl in Hstill.
      rewrite div_at, mod_at in Hstill by assumption.
      destruct (proj2 (proj2 (HY t Ht)) j' Hj' Hstill) as [delta [Hdelta H]]. exists delta. split; [exact Hdelta|].
      intros u Hu. simpl. rewrite !in_rows_at by assumption. exact (H u Hu).
  - (* Residual *)
    destruct Hsmooth as [H1 H2].
    destruct (IHN1 A A' v K H1 HA HK) as [Y1 [D1 [E1 S1]]].
    destruct (IHN2 A A' (fun k => v (size N1 + k)%nat) K H2 HA HK) as [Y2 [D2 [E2 S2]]].
    exists (fun j => Y1 j + Y2 j). split; [|split].
    + intros j Hj. simpl. apply (d_plus _ _ _ _ (D1 j Hj) (D2 j Hj)).
    + intros d. simpl. rewrite sum_join_times.
      rewrite (sum_ext m _ (fun j => d j * Y1 j + d j * Y2 j)) by (intros; ring). rewrite sum_plus, E1, E2.
      rewrite (sum_ext n (fun i => (backprop N1 (A 0) d i + backprop N2 (A 0) d i) * A' i)
                 (fun i => backprop N1 (A 0) d i * A' i + backprop N2 (A 0) d i * A' i)) by (intros; ring).
      rewrite sum_plus. ring.
    + intros j Hj [K1 K2]. apply near_weaker with (2 := near_and _ _ (S1 j Hj K1) (S2 j Hj K2)).
      intros t [F1 F2]. simpl. rewrite F1, F2. reflexivity.
  - (* Then *)
    destruct Hsmooth as [H1 H2].
    destruct (IHN1 A A' v K H1 HA HK) as [Y1 [D1 [E1 S1]]].
    set (B := fun t => forward (shifted N1 v t) (A t)).
    assert (HB : B 0 = forward N1 (A 0)) by (unfold B; rewrite shifted_by_nothing; reflexivity).
    rewrite <- HB in H2.
    destruct (IHN2 B Y1 (fun k => v (size N1 + k)%nat) (still N1 (A 0) K) H2 D1 S1) as [Y2 [D2 [E2 S2]]].
    exists Y2. split; [exact D2|split].
    + intros d. simpl. rewrite sum_join_times, E2, HB, E1. ring.
    + intros j Hj Hstill. simpl in Hstill. rewrite <- HB in Hstill. exact (S2 j Hj Hstill).
Qed.

(** At a fixed input: the derivative of sum_j d_j y_j along any direction v of the parameters is <gradient, v>. *)
Theorem gradient_is_the_derivative {n m} (N : net n m) (a d v : vector) :
  smooth_at N a ->
  derivable_pt_lim (fun t => sum m (fun j => d j * forward (shifted N v t) a j)) 0
    (sum (size N) (fun k => gradient N a d k * v k)).
Proof.
  intros Hsmooth.
  destruct (backpropagation_is_the_transposed_derivative N (fun _ => a) (fun _ => 0) v (fun _ => False) Hsmooth)
    as [Y' [D [E _]]]; [intros; apply d_const|intros i _ []|].
  specialize (E d). rewrite (sum_zero n) in E by (intros; ring). rewrite Rplus_0_l in E. rewrite <- E.
  apply (d_sum m (fun t j => d j * forward (shifted N v t) a j)). intros j Hj. apply d_scale, D, Hj.
Qed.

(** Parameter by parameter: gradient_k is the partial derivative in parameter k, *)
Corollary gradient_is_the_partial_derivative {n m} (N : net n m) (a d : vector) k :
  smooth_at N a -> (k < size N)%nat ->
  derivable_pt_lim (fun t => sum m (fun j => d j * forward (shifted N (at_index k) t) a j)) 0 (gradient N a d k).
Proof.
  intros Hsmooth Hk. pose proof (gradient_is_the_derivative N a d (at_index k) Hsmooth) as H.
  rewrite (sum_ext (size N) _ (fun i => at_index k i * gradient N a d k)) in H.
  - rewrite sum_at_index in H by assumption. exact H.
  - intros i _. rewrite Rmult_comm, at_index_rename. reflexivity.
Qed.

(** and LFP-0's feedback is |w_k| times that: equivalence with the derivative itself. *)
Theorem lfp_0_is_absolute_weight_times_partial_derivative {n m} (N : net n m) (a d r : vector) k :
  homogeneous_at N a -> smooth_at N a -> (forall j, (j < m)%nat -> r j = forward N a j * d j) -> (k < size N)%nat ->
  exists g, derivable_pt_lim (fun t => sum m (fun j => d j * forward (shifted N (at_index k) t) a j)) 0 g
            /\ parameter_feedback N a r k = Rabs (parameter N k) * g.
Proof.
  intros Hom Hsmooth Hr Hk. exists (gradient N a d k). split.
  - apply gradient_is_the_partial_derivative; assumption.
  - apply (lfp_0_is_absolute_weight_times_gradient N a d r Hom Hr).
Qed.

(** ** Objectives

    dJ is the gradient of J at the outputs y: along every curve of outputs, J's derivative is <dJ, the outputs'>. *)
Definition has_gradient (m : nat) (J : vector -> R) (y dJ : vector) : Prop :=
  forall (Y : R -> vector) (Y' : vector),
    Y 0 = y -> (forall j, (j < m)%nat -> derivative_at_0 (fun t => Y t j) (Y' j)) ->
    derivative_at_0 (fun t => J (Y t)) (sum m (fun j => dJ j * Y' j)).

(** An example: J = -sum_j (target_j - y_j)^2 / 2 has the gradient target - y. *)
Lemma squared_error_has_gradient m target y :
  has_gradient m (fun y => sum m (fun j => - (target j - y j) ^ 2 / 2)) y (fun j => target j - y j).
Proof.
  intros Y Y' HY HD.
  apply (d_sum m (fun t j => - (target j - Y t j) ^ 2 / 2)). intros j Hj.
  pose proof (d_plus _ _ _ _ (d_const (target j)) (d_scale (-1) _ _ (HD j Hj))) as H1.
  pose proof (d_scale (-1 / 2) _ _ (d_mult _ _ _ _ H1 H1)) as H2. cbv beta in H2. rewrite HY in H2.
  replace ((target j - y j) * Y' j) with (-1 / 2 * ((0 + -1 * Y' j) * (target j + -1 * y j)
                                                    + (target j + -1 * y j) * (0 + -1 * Y' j))) by field.
  apply d_same with (2 := H2). intros t. field.
Qed.

(** The derivative of the objective of a batch along any direction v of the parameters is <gradient, v>. *)
Theorem gradient_of_the_objective {n m} (N : net n m) samples (x : nat -> vector) (J : nat -> vector -> R)
  (dJ : nat -> vector) (v : vector) :
  (forall s, (s < samples)%nat -> smooth_at N (x s) /\ has_gradient m (J s) (forward N (x s)) (dJ s)) ->
  derivable_pt_lim (fun t => sum samples (fun s => J s (forward (shifted N v t) (x s)))) 0
    (sum (size N) (fun k => sum samples (fun s => gradient N (x s) (dJ s) k) * v k)).
Proof.
  intros H.
  replace (sum (size N) (fun k => sum samples (fun s => gradient N (x s) (dJ s) k) * v k))
    with (sum samples (fun s => sum (size N) (fun k => gradient N (x s) (dJ s) k * v k))).
  - apply (d_sum samples (fun t s => J s (forward (shifted N v t) (x s)))). intros s Hs.
    destruct (H s Hs) as [Hsmooth HJ].
    destruct (backpropagation_is_the_transposed_derivative N (fun _ => x s) (fun _ => 0) v (fun _ => False) Hsmooth)
      as [Y' [D [E _]]]; [intros; apply d_const|intros i _ []|].
    specialize (E (dJ s)). rewrite (sum_zero n) in E by (intros; ring). rewrite Rplus_0_l in E. rewrite <- E.
    apply (HJ (fun t => forward (shifted N v t) (x s)) Y'); [rewrite shifted_by_nothing; reflexivity|exact D].
  - rewrite sum_swap. apply sum_ext; intros k _. apply sum_scale_right.
Qed.

(** Max pooling behind ReLU: each window has one maximum, or is silent. *)
Theorem silent_windows_are_smooth {n m} (W : windows n m) (a : vector) :
  let relu := two_slopes 1 0 in
  let y := winner W (fun i => relu (a i)) in
  (forall i, (i < n)%nat -> a i <> 0) ->
  (forall j, (j < m)%nat -> forall i, In i (first W j :: others W j) -> i <> y j ->
     relu (a i) < relu (a (y j)) \/ a i < 0 /\ a (y j) < 0) ->
  smooth_at (Then (Activation relu (two_slopes_derivative 1 0)) (MaxPool W)) a.
Proof.
  intros relu y Ha Hwindows. split.
  - intros i Hi. apply two_slopes_derivative_is_the_derivative, Ha, Hi.
  - intros j Hj i Hi Hne. destruct (Hwindows j Hj i Hi Hne) as [H|[H1 H2]]; [left; exact H|right].
    assert (Hzero : forall k, a k < 0 -> relu (a k) = 0)
      by (intros k Hk; unfold relu, two_slopes; destruct (Rlt_dec 0 (a k)); lra).
    split; [|split; apply silent_relus_are_still; auto]. change (relu (a i) = relu (a (y j))).
    rewrite (Hzero _ H1), (Hzero _ H2). reflexivity.
Qed.
