(** * Depth, batches and the stabiliser in networks

    Ratio.v and Stabiliser.v speak of recursions over layers with given ratios. Here the recursions are those of a
    network: dense layers with activations in between, of any depth and width, their feedback and their gradient. *)

From LFP Require Import sums.Sums sums.Network equivalence.Equivalence equivalence.Secant activation_condition.Ratio
  stabiliser.Stabiliser.

Record dense_layer := DenseLayer { width : nat; weights : vector; biases : vector }.

(** Units of the last layer. *)
Fixpoint top (n : nat) (layers : list dense_layer) : nat :=
  match layers with [] => n | l :: rest => top (width l) rest end.

Section Chain.
  Context (phi derivative : R -> R) (e : R) (e_nonneg : 0 <= e).

  (** From the sums z of a layer to the sums of the last one: activation, dense, activation, dense, ... *)
  Fixpoint tower (n : nat) (layers : list dense_layer) : net n (top n layers) :=
    match layers with
    | [] => Identity n
    | l :: rest =>
        Then (Activation phi derivative)
        (Then (Linear (dense n (width l)) (width l * n) (width l) (weights l) (biases l) (Epsilon e))
              (tower (width l) rest))
    end.

  (** All sums on the way are not 0. *)
  Fixpoint nonzero (n : nat) (layers : list dense_layer) (z : vector) : Prop :=
    (forall i, (i < n)%nat -> z i <> 0)
    /\ match layers with
       | [] => True
       | l :: rest =>
           nonzero (width l) rest
             (pre_activation (dense n (width l)) (weights l) (biases l) (fun i => phi (z i)))
       end.

  (** How LFP-e's factor at a unit with sum t compares with the derivative: damping times secant over derivative; where
      both secant and derivative are 0 (a silent ReLU), any number will do: [default]. *)
  Context (default : R).
  Definition factor (t : R) : R := damping t e * secant_of phi t.
  Definition ratio_at (t : R) : R := if Req_EM_T (derivative t) 0 then default else factor t / derivative t.
  Definition silent_where_flat (t : R) : Prop := derivative t = 0 -> secant_of phi t = 0.

  Lemma ratio_times_derivative t : silent_where_flat t -> ratio_at t * derivative t = factor t.
  Proof.
    intros H. unfold ratio_at, silent_where_flat in *. destruct (Req_EM_T (derivative t) 0) as [E|E].
    - unfold factor. rewrite E, (H E). ring.
    - field. exact E.
  Qed.

  (** The layers of Ratio.v: those of the tower at these sums; for e > 0 the outputs divide as well: [last]. *)
  Context (last : nat -> vector -> list layer).
  Fixpoint seen_as (n : nat) (layers : list dense_layer) (z : vector) : list layer :=
    match layers with
    | [] => last n z
    | l :: rest =>
        Layer (width l) (fun j i => weights l (j * n + i)%nat) (fun i => derivative (z i))
          (fun i => if Nat.ltb i n then ratio_at (z i) else default)
        :: seen_as (width l) rest
             (pre_activation (dense n (width l)) (weights l) (biases l) (fun i => phi (z i)))
    end.

  (** Activations are silent where they are flat, at all sums on the way. *)
  Fixpoint silent_if_flat (n : nat) (layers : list dense_layer) (z : vector) : Prop :=
    match layers with
    | [] => True
    | l :: rest =>
        (forall i, (i < n)%nat -> silent_where_flat (z i))
        /\ silent_if_flat (width l) rest
             (pre_activation (dense n (width l)) (weights l) (biases l) (fun i => phi (z i)))
    end.

  Context (c : vector).   (* dJ / d output *)
  Context (last_delta : forall n z i, (i < n)%nat -> delta c (last n z) i = c i).
  Context (last_secant : forall n z i, (i < n)%nat -> z i <> 0 ->
    secant c (last n z) i = quotient (z i * c i) (stab (z i) e)).

  Lemma backprop_is_delta layers : forall n z i, (i < n)%nat ->
    backprop (tower n layers) z c i = delta c (seen_as n layers z) i.
  Proof.
    induction layers as [|l rest IH]; intros n z i Hi.
    - cbn [tower seen_as]. rewrite last_delta by exact Hi. simpl. ring.
    - cbn [tower backprop forward seen_as delta slope above weight]. rewrite dense_gradient_input by exact Hi.
      f_equal. apply sum_ext; intros j Hj. rewrite IH by exact Hj. reflexivity.
  Qed.

  Lemma per_unit_is_secant layers : forall n z i, (i < n)%nat ->
    nonzero n layers z -> silent_if_flat n layers z ->
    quotient (feedback (tower n layers) z (fun j => forward (tower n layers) z j * c j) i) (stab (z i) e)
    = secant c (seen_as n layers z) i.
  Proof.
    induction layers as [|l rest IH]; intros n z i Hi Hz Hflat.
    - cbn [tower seen_as]. destruct Hz as [Hz _]. rewrite last_secant by auto. reflexivity.
    - cbn [tower feedback forward seen_as secant slope above weight ratio]. cbn [nonzero silent_if_flat] in Hz, Hflat.
      destruct Hz as [Hz Hrest]. destruct Hflat as [Hsilent Hflat].
      rewrite dense_to_input by exact Hi.
      set (z' := pre_activation _ _ _ _) in *.
      rewrite (sum_ext (width l) _ (fun j => weights l (j * n + i)%nat * secant c (seen_as (width l) rest z') j))
        by (intros j Hj; rewrite <- (IH (width l) z' j Hj Hrest Hflat); reflexivity).
      destruct (Nat.ltb_spec i n) as [_|Hge]; [|lia]. rewrite ratio_times_derivative by (apply Hsilent, Hi).
      unfold factor, secant_of. specialize (Hz i Hi). rewrite (quotient_div (phi (z i))) by exact Hz.
      pose proof (stab_nonzero (z i) e e_nonneg Hz) as Hstab. rewrite quotient_div by exact Hstab.
      assert (Hdamp : damping (z i) e = z i / stab (z i) e).
      { unfold damping. rewrite stab_abs. rewrite <- (sgn_mult (z i)). pose proof (Rabs_pos_lt _ Hz).
        rewrite sgn_mult in *. destruct (sgn_cases (z i)) as [[_ E]|[_ E]]; rewrite E;
          pose proof (sgn_mult (z i)) as Habs; rewrite E in Habs; rewrite <- Habs in *; field; lra. }
      rewrite Hdamp. field. split; assumption.
  Qed.
End Chain.

(** ** Networks: a dense layer and the tower above it *)

Section Networks.
  Context (phi derivative : R -> R) (inputs units : nat) (w b : vector) (layers : list dense_layer).
  Context (samples : nat) (x c : nat -> vector).   (* inputs, dJ / d output *)
  Definition network (e : R) : net inputs (top units layers) :=
    Then (Linear (dense inputs units) (units * inputs) units w b (Epsilon e)) (tower phi derivative e units layers).
  Definition sums_of (s : nat) : vector := pre_activation (dense inputs units) w b (x s).

  (** d and g of a weight of the first layer of the network, over the batch, for the rewards y dJ/dy. (A weight further
      up: the same for the network that begins with its layer.) *)
  Definition weight_feedback (e : R) (k : nat) : R :=
    sum samples (fun s => parameter_feedback (network e) (x s) (fun j => forward (network e) (x s) j * c s j) k).
  Definition weight_gradient (e : R) (k : nat) : R := sum samples (fun s => gradient (network e) (x s) (c s) k).

  Context (e : R) (e_nonneg : 0 <= e) (default : R) (last : nat -> vector -> list layer).
  Context (last_delta : forall s n z i, (s < samples)%nat -> (i < n)%nat -> delta (c s) (last n z) i = c s i).
  Context (last_secant : forall s n z i, (s < samples)%nat -> (i < n)%nat -> z i <> 0 ->
    secant (c s) (last n z) i = quotient (z i * c s i) (stab (z i) e)).
  Context (awake : forall s, (s < samples)%nat ->
    nonzero phi units layers (sums_of s) /\ silent_if_flat phi derivative units layers (sums_of s)).
  Let seen (s : nat) : list layer := seen_as phi derivative e default last units layers (sums_of s).

  Lemma weights_of_the_network j i : (j < units)%nat -> (i < inputs)%nat ->
    weight_gradient e (j * inputs + i) = sum samples (fun s => x s i * delta (c s) (seen s) j)
    /\ weight_feedback e (j * inputs + i)
       = Rabs (w (j * inputs + i)%nat) * sum samples (fun s => x s i * secant (c s) (seen s) j).
  Proof.
    intros Hj Hi. assert (Hk : (j * inputs + i < units * inputs)%nat) by nia.
    unfold weight_gradient, weight_feedback. rewrite <- sum_scale.
    split; apply sum_ext; intros s Hs; unfold network; cbn [parameter_feedback gradient forward feedback backprop size];
      unfold join; apply Nat.ltb_lt in Hk as Hk1; assert (Hk2 : (j * inputs + i < units * inputs + units)%nat) by lia;
      apply Nat.ltb_lt in Hk2; rewrite Hk1, Hk2.
    - rewrite dense_gradient_weight by assumption. f_equal.
      apply (backprop_is_delta phi derivative e default last (c s)); auto.
    - rewrite dense_to_weight by assumption. do 2 f_equal. destruct (awake s Hs).
      apply (per_unit_is_secant phi derivative e e_nonneg default last (c s)); auto.
  Qed.
End Networks.

(** ** Depth and batches (e = 0): all ratios in [m, M], h = length layers hidden layers above *)

Section DepthAndBatches.
  Context (phi derivative : R -> R) (inputs units : nat) (w b : vector) (layers : list dense_layer).
  Context (samples : nat) (x c : nat -> vector) (m M : R) (range : 0 <= m <= M).
  Let z := sums_of inputs units w b x.
  Let seen (s : nat) : list layer := seen_as phi derivative 0 M (fun _ _ => []) units layers (z s).
  Context (awake : forall s, (s < samples)%nat ->
    nonzero phi units layers (z s) /\ silent_if_flat phi derivative units layers (z s)).
  Context (ratios : forall s, (s < samples)%nat -> ratios_in_range m M (seen s)).

  Lemma length_of_seen (l : list dense_layer) : forall n t,
    length (seen_as phi derivative 0 M (fun _ _ => []) n l t) = length l.
  Proof. induction l as [|y l IH]; intros n t; simpl; [reflexivity|]. rewrite IH. reflexivity. Qed.

  (** A weight of the network goes the gradient's way where the terms of its gradient do not cancel by more than the
      ratios differ. A: the gradient's sum over paths and samples, of absolute values. *)
  Theorem depth_and_batches_keep_the_sign j i :
    (j < units)%nat -> (i < inputs)%nat ->
    let k := (j * inputs + i)%nat in
    let h := length layers in
    let a := fun s => x s i in
    let P s := terms_of_sign (c s) true (seen s) j in let N s := terms_of_sign (c s) false (seen s) j in
    let A := positive_terms samples a P N + positive_terms samples a N P in
    let g := weight_gradient phi derivative inputs units w b layers samples x c 0 k in
    (M ^ h - m ^ h) * A <= (M ^ h + m ^ h) * Rabs g ->
    0 <= weight_feedback phi derivative inputs units w b layers samples x c 0 k * g.
  Proof.
    intros Hj Hi k h a P N A g Hsmall.
    destruct (weights_of_the_network phi derivative inputs units w b layers samples x c 0 (Rle_refl 0) M (fun _ _ => []))
      with (j := j) (i := i) as [Hg Hd]; auto.
    { intros s n t u Hs Hu Ht. simpl. rewrite stab_zero, quotient_div by exact Ht. field. exact Ht. }
    fold k g in Hg. fold k in Hd. unfold k. fold k. rewrite Hd, Rmult_assoc. apply Rmult_le_pos; [apply Rabs_pos|].
    rewrite Hg in *.
    apply (ratio_layers_and_batch_keep_the_sign samples h a c seen j m M range); [|exact Hsmall].
    intros s Hs. split; [apply length_of_seen|apply ratios, Hs].
  Qed.
End DepthAndBatches.

(** ** A small enough stabiliser: homogeneous activations, e <= t |z| at every sum on the way, outputs included *)

Section SmallStabiliser.
  Context (phi derivative : R -> R) (homogeneous : forall t, phi t = derivative t * t).
  Context (inputs units : nat) (w b : vector) (layers : list dense_layer).
  Context (samples : nat) (x c : nat -> vector) (e t : R) (e_pos : 0 < e) (t_nonneg : 0 <= t).
  Let z := sums_of inputs units w b x.

  (** The outputs' layer: each output is its own, and damps. *)
  Definition output_layer (n : nat) (z : vector) : list layer :=
    [Layer n (fun j i => at_index i j) (fun _ => 1) (fun i => if Nat.ltb i n then damping (z i) e else 1)].

  (** e <= t |z| for all sums on the way; none is 0. *)
  Fixpoint large (n : nat) (layers : list dense_layer) (z : vector) : Prop :=
    (forall i, (i < n)%nat -> z i <> 0 /\ e <= t * Rabs (z i))
    /\ match layers with
       | [] => True
       | l :: rest =>
           large (width l) rest (pre_activation (dense n (width l)) (weights l) (biases l) (fun i => phi (z i)))
       end.
  Context (all_large : forall s, (s < samples)%nat -> large units layers (z s)).
  Let seen (s : nat) : list layer := seen_as phi derivative e 1 output_layer units layers (z s).

  Lemma large_is_nonzero (l : list dense_layer) : forall n y, large n l y -> nonzero phi n l y.
  Proof.
    induction l as [|d l IH]; intros n y [H1 H2]; (split; [intros i Hi; apply (H1 i Hi)|]); [exact I|apply IH, H2].
  Qed.

  Lemma homogeneous_is_silent (l : list dense_layer) : forall n y, silent_if_flat phi derivative n l y.
  Proof.
    induction l as [|d l IH]; intros n y; simpl; [exact I|]. split; [|apply IH]. intros i _ E. unfold secant_of.
    rewrite homogeneous, E, Rmult_0_l. apply quotient_zero_reward.
  Qed.

  Lemma small_enough_is_in_range (l : list dense_layer) : forall n y, large n l y ->
    ratios_in_range (/ (1 + t)) 1 (seen_as phi derivative e 1 output_layer n l y).
  Proof.
    assert (Hone : / (1 + t) <= 1 <= 1)
      by (split; [rewrite <- Rinv_1 at 2; apply Rinv_le_contravar; lra|lra]).
    induction l as [|d l IH]; intros n y [H1 H2]; simpl.
    - constructor; [|constructor]. intros i. simpl. destruct (Nat.ltb_spec i n) as [Hi|Hi]; [|exact Hone].
      destruct (H1 i Hi). apply damping_of_a_small_stabiliser; assumption.
    - constructor; [|apply IH, H2]. intros i. simpl. destruct (Nat.ltb_spec i n) as [Hi|Hi]; [|exact Hone].
      destruct (H1 i Hi) as [Hy Hsmall]. unfold ratio_at, factor, secant_of.
      destruct (Req_EM_T (derivative (y i)) 0) as [E|E]; [exact Hone|].
      replace (damping (y i) e * quotient (phi (y i)) (y i) / derivative (y i)) with (damping (y i) e)
        by (rewrite quotient_div, homogeneous by exact Hy; field; split; assumption).
      apply damping_of_a_small_stabiliser; assumption.
  Qed.

  Lemma length_with_outputs (l : list dense_layer) : forall n y,
    length (seen_as phi derivative e 1 output_layer n l y) = S (length l).
  Proof. induction l as [|d l IH]; intros n y; simpl; [reflexivity|]. rewrite IH. reflexivity. Qed.

  (** A weight of the network goes the gradient's way where h t A <= 2 |g|, h the layers that divide, its own and the
      output's included. With t = e / min |z|: for every e <= 2 min |z| |g| / (h A). *)
  Theorem a_small_enough_stabiliser_keeps_the_sign_in_networks j i :
    (j < units)%nat -> (i < inputs)%nat ->
    let k := (j * inputs + i)%nat in
    let h := S (length layers) in
    let a := fun s => x s i in
    let P s := terms_of_sign (c s) true (seen s) j in let N s := terms_of_sign (c s) false (seen s) j in
    let A := positive_terms samples a P N + positive_terms samples a N P in
    let g := weight_gradient phi derivative inputs units w b layers samples x c e k in
    INR h * t * A <= 2 * Rabs g ->
    0 <= weight_feedback phi derivative inputs units w b layers samples x c e k * g.
  Proof.
    intros Hj Hi k h a P N A g Hsmall.
    assert (Hlast : forall s n y u, (u < n)%nat -> secant (c s) (output_layer n y) u = damping (y u) e * c s u
                                  /\ delta (c s) (output_layer n y) u = c s u).
    { intros s n y u Hu. unfold output_layer. cbn [secant delta slope ratio above weight].
      destruct (Nat.ltb_spec u n) as [_|H]; [|lia].
      rewrite (sum_ext n _ (fun j => at_index u j * c s u))
        by (intros; rewrite at_index_rename; reflexivity).
      rewrite sum_at_index by exact Hu. split; ring. }
    destruct (weights_of_the_network phi derivative inputs units w b layers samples x c e (Rlt_le _ _ e_pos)
                1 output_layer) with (j := j) (i := i) as [Hg Hd]; auto.
    { intros s n y u _ Hu. apply Hlast, Hu. }
    { intros s n y u _ Hu Hy. destruct (Hlast s n y u Hu) as [-> _].
      rewrite damping_is_z_over_stab by exact e_pos. pose proof (stab_nonzero_pos (y u) e e_pos).
      rewrite quotient_div by assumption. field. assumption. }
    { intros s Hs. split; [apply large_is_nonzero, all_large, Hs|apply homogeneous_is_silent]. }
    fold k g in Hg. fold k in Hd. rewrite Hd, Rmult_assoc. apply Rmult_le_pos; [apply Rabs_pos|]. rewrite Hg in *.
    apply (a_small_enough_stabiliser_keeps_the_sign samples h a c seen j t t_nonneg); [|exact Hsmall].
    intros s Hs. split; [|apply small_enough_is_in_range, all_large, Hs].
    apply length_with_outputs.
  Qed.
End SmallStabiliser.
