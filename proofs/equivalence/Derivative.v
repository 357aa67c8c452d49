(** * Backpropagation's recursion is the derivative, for whole networks

    Equivalence.v compares LFP-0 with the gradient as its recursion defines it. Here: that recursion is the derivative
    of the network's output in its parameters, at any depth and nesting, wherever activations are differentiable at the
    values that occur and each max pool has a single winner. *)

From Coq Require Import FunctionalExtensionality.
From LFP Require Import sums.Sums sums.Network equivalence.Equivalence.

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
  | Residual body shortcut e => Residual (shifted body v t) (shifted shortcut (fun k => v (size body + k)%nat) t) e
  | Then below above => Then (shifted below v t) (shifted above (fun k => v (size below + k)%nat) t)
  end.

Lemma size_of_shifted {n m} (N : net n m) : forall v t, size (shifted N v t) = size N.
Proof. induction N; intros v t; simpl; rewrite ?IHN1, ?IHN2; reflexivity. Qed.

(** It does move parameter k by t v_k, and nothing else (by definition). *)
Lemma shifted_moves_each_parameter {n m} (N : net n m) : forall v t k, (k < size N)%nat ->
  parameter (shifted N v t) k = parameter N k + t * v k.
Proof.
  induction N; intros v t k' Hk; simpl in Hk |- *; try lia; unfold join.
  - destruct (Nat.ltb_spec k' weights) as [H|H]; unfold below_size.
    + destruct (Nat.ltb_spec k' weights); [reflexivity|lia].
    + destruct (Nat.ltb_spec (k' - weights) biases); [|lia]. replace (weights + (k' - weights))%nat with k' by lia.
      reflexivity.
  - rewrite size_of_shifted. destruct (Nat.ltb_spec k' (size N1)) as [H|H]; [apply IHN1, H|].
    rewrite IHN2 by lia. replace (size N1 + (k' - size N1))%nat with k' by lia. reflexivity.
  - rewrite size_of_shifted. destruct (Nat.ltb_spec k' (size N1)) as [H|H]; [apply IHN1, H|].
    rewrite IHN2 by lia. replace (size N1 + (k' - size N1))%nat with k' by lia. reflexivity.
Qed.

(** Differentiable at input a: activations have their derivative there, each window one maximum only. *)
Fixpoint smooth_at {n m} (N : net n m) (a : vector) : Prop :=
  match N with
  | Linear _ _ _ _ _ _ => True
  | @Activation n phi derivative => forall i, (i < n)%nat -> derivable_pt_lim phi (a i) (derivative (a i))
  | @MaxPool _ m W =>
      forall j, (j < m)%nat -> forall i, In i (first W j :: others W j) -> i <> winner W a j -> a i < a (winner W a j)
  | Dropout _ _ => True
  | Residual body shortcut _ => smooth_at body a /\ smooth_at shortcut a
  | Then below above => smooth_at below a /\ smooth_at above (forward below a)
  end.

Lemma shifted_by_nothing {n m} (N : net n m) : forall v, shifted N v 0 = N.
Proof.
  induction N; intros v; simpl; try reflexivity.
  - f_equal; apply functional_extensionality; intros k; ring.
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

Lemma best_is_the_only_maximum a y : forall challengers leader,
  In y (leader :: challengers) -> (forall i, In i (leader :: challengers) -> i <> y -> a i < a y) ->
  best a leader challengers = y.
Proof.
  induction challengers as [|i rest IH]; intros leader Hy Hmax; simpl; [destruct Hy as [Hy|[]]; assumption|].
  apply IH.
  - destruct (Rlt_dec (a leader) (a i)) as [H|H]; destruct Hy as [Hy|[Hy|Hy]]; subst; simpl; auto.
    + destruct (Nat.eq_dec i y) as [E|E]; [auto|].
      specialize (Hmax i ltac:(simpl; auto) E). lra.
    + destruct (Nat.eq_dec leader y) as [E|E]; [auto|].
      specialize (Hmax leader ltac:(simpl; auto) E). lra.
  - intros k Hk. apply Hmax. destruct (Rlt_dec (a leader) (a i)); simpl in *; destruct Hk; auto.
Qed.

Lemma best_is_one_of_them a : forall challengers leader, In (best a leader challengers) (leader :: challengers).
Proof.
  induction challengers as [|i rest IH]; intros leader; simpl; [auto|].
  destruct (IH (if Rlt_dec (a leader) (a i) then i else leader)) as [H|H]; [|auto].
  rewrite <- H. destruct Rlt_dec; auto.
Qed.

Lemma all_still_smaller (A : R -> vector) (A' : vector) y (indices : list nat) :
  (forall i, In i indices -> i <> y -> A 0 i < A 0 y) ->
  (forall i, In i (y :: indices) -> derivative_at_0 (fun t => A t i) (A' i)) ->
  exists delta, 0 < delta /\ forall t, Rabs t < delta -> forall i, In i indices -> i <> y -> A t i < A t y.
Proof.
  induction indices as [|k rest IH]; intros Hlt Hd; [exists 1; split; [lra|contradiction]|].
  destruct IH as [d1 [Hd1 H1]].
  - intros i Hi. apply Hlt. right. assumption.
  - intros i [Hi|Hi]; apply Hd; simpl; auto.
  - destruct (Nat.eq_dec k y) as [E|E].
    + exists d1. split; [assumption|]. intros t Ht i [Hi|Hi] Hne; [congruence|auto].
    + destruct (still_smaller (fun t => A t k) (fun t => A t y) (A' k) (A' y)) as [d2 [Hd2 H2]];
        [apply Hd; simpl; auto..|apply Hlt; simpl; auto|].
      exists (Rmin d1 d2). split; [apply Rmin_glb_lt; assumption|]. intros t Ht i [Hi|Hi] Hne.
      * subst. apply H2. pose proof (Rmin_r d1 d2). lra.
      * apply H1; [|assumption..]. pose proof (Rmin_l d1 d2). lra.
Qed.

Lemma d_max_pool {n m} (W : windows n m) (A : R -> vector) (A' : vector) j : (j < m)%nat ->
  (forall i, In i (first W j :: others W j) -> i <> winner W (A 0) j -> A 0 i < A 0 (winner W (A 0) j)) ->
  (forall i, (i < n)%nat -> derivative_at_0 (fun t => A t i) (A' i)) ->
  derivative_at_0 (fun t => A t (winner W (A t) j)) (A' (winner W (A 0) j)).
Proof.
  intros Hj Hsmooth HA. set (y := winner W (A 0) j) in *.
  assert (Hinside : forall i, In i (first W j :: others W j) -> (i < n)%nat).
  { intros i [<-|Hi]; [apply first_inside; assumption|].
    exact (proj1 (Forall_forall _ _) (others_inside W j Hj) i Hi). }
  assert (Hy : In y (first W j :: others W j)) by apply best_is_one_of_them.
  destruct (all_still_smaller A A' y (first W j :: others W j)) as [delta [Hpos H]]; [assumption| |].
  - intros i [<-|Hi]; apply HA, Hinside; assumption.
  - apply derivable_pt_lim_near with (f := fun t => A t y) (delta := delta); [assumption| |apply HA, Hinside, Hy].
    intros t Ht. rewrite Rminus_0_r in Ht. f_equal. symmetry.
    apply best_is_the_only_maximum; [assumption|]. apply H, Ht.
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

(** ** The theorem

    Move all parameters along v and the input along a curve A (t) with A (0) = a and derivative A'. Then the output has
    a derivative Y', and for every d
        sum_j d_j Y'_j = sum_i backprop_i A'_i + sum_k gradient_k v_k:
    backpropagation is the transpose of the derivative. *)
Theorem backpropagation_is_the_transposed_derivative {n m} (N : net n m) : forall (A : R -> vector) (A' v : vector),
  smooth_at N (A 0) ->
  (forall i, (i < n)%nat -> derivative_at_0 (fun t => A t i) (A' i)) ->
  exists Y' : vector,
    (forall j, (j < m)%nat -> derivative_at_0 (fun t => forward (shifted N v t) (A t) j) (Y' j)) /\
    forall d, sum m (fun j => d j * Y' j)
              = sum n (fun i => backprop N (A 0) d i * A' i) + sum (size N) (fun k => gradient N (A 0) d k * v k).
Proof.
  induction N; intros A A' v Hsmooth HA; simpl in Hsmooth.
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
    + intros d. simpl. rewrite sum_join_times.
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
    + intros d. simpl. rewrite Rplus_0_r. apply sum_ext; intros; ring.
  - (* MaxPool *)
    exists (fun j => A' (winner W (A 0) j)). split.
    + intros j Hj. simpl. apply d_max_pool; auto.
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
  - (* Dropout *)
    exists (fun i => if_kept (keep i) (scale * A' i)). split.
    + intros i Hi. simpl. unfold if_kept. destruct (keep i); [apply d_scale, HA, Hi|apply d_const].
    + intros d. simpl. rewrite Rplus_0_r. apply sum_ext; intros i _. unfold if_kept. destruct (keep i); ring.
  - (* Residual *)
    destruct Hsmooth as [H1 H2].
    destruct (IHN1 A A' v H1 HA) as [Y1 [D1 E1]].
    destruct (IHN2 A A' (fun k => v (size N1 + k)%nat) H2 HA) as [Y2 [D2 E2]].
    exists (fun j => Y1 j + Y2 j). split.
    + intros j Hj. simpl. apply (d_plus _ _ _ _ (D1 j Hj) (D2 j Hj)).
    + intros d. simpl. rewrite sum_join_times.
      rewrite (sum_ext m _ (fun j => d j * Y1 j + d j * Y2 j)) by (intros; ring). rewrite sum_plus, E1, E2.
      rewrite (sum_ext n (fun i => (backprop N1 (A 0) d i + backprop N2 (A 0) d i) * A' i)
                 (fun i => backprop N1 (A 0) d i * A' i + backprop N2 (A 0) d i * A' i)) by (intros; ring).
      rewrite sum_plus. ring.
  - (* Then *)
    destruct Hsmooth as [H1 H2].
    destruct (IHN1 A A' v H1 HA) as [Y1 [D1 E1]].
    set (B := fun t => forward (shifted N1 v t) (A t)).
    assert (HB : B 0 = forward N1 (A 0)) by (unfold B; rewrite shifted_by_nothing; reflexivity).
    rewrite <- HB in H2.
    destruct (IHN2 B Y1 (fun k => v (size N1 + k)%nat) H2 D1) as [Y2 [D2 E2]].
    exists Y2. split; [exact D2|]. intros d. simpl. rewrite sum_join_times, E2, HB, E1. ring.
Qed.

(** At a fixed input: the derivative of sum_j d_j y_j along any direction v of the parameters is <gradient, v>. *)
Theorem gradient_is_the_derivative {n m} (N : net n m) (a d v : vector) :
  smooth_at N a ->
  derivable_pt_lim (fun t => sum m (fun j => d j * forward (shifted N v t) a j)) 0
    (sum (size N) (fun k => gradient N a d k * v k)).
Proof.
  intros Hsmooth.
  destruct (backpropagation_is_the_transposed_derivative N (fun _ => a) (fun _ => 0) v Hsmooth) as [Y' [D E]];
    [intros; apply d_const|].
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
    destruct (backpropagation_is_the_transposed_derivative N (fun _ => x s) (fun _ => 0) v Hsmooth) as [Y' [D E]];
      [intros; apply d_const|].
    specialize (E (dJ s)). rewrite (sum_zero n) in E by (intros; ring). rewrite Rplus_0_l in E. rewrite <- E.
    apply (HJ (fun t => forward (shifted N v t) (x s)) Y'); [rewrite shifted_by_nothing; reflexivity|exact D].
  - rewrite sum_swap. apply sum_ext; intros k _. apply sum_scale_right.
Qed.
