(** * The method: rules, layers, networks

    The same definitions as in lfp_ref/rules/lrp.py, lfp_ref/layers/ and tests/oracle.py, over the reals. *)

From LFP Require Export sums.Sums.

(** ** Rules (lfp_ref/rules/lrp.py)

    A term says what it sees of an input (and of its index: the bounds of z-box may differ by pixel), of a weight and of
    a bias. Terms of one group share one denominator. A group takes the part c mask(z) of a reward. *)

Record term := Term { on_input : nat -> R -> R; on_weight : R -> R; on_bias : R -> R }.
Record group := Group { terms : list term; coefficient : R; mask : R -> R }.
Record rule := Rule { groups : list group; epsilon : R }.

Definition same (x : R) : R := x.
Definition nothing (x : R) : R := 0.
Definition one (x : R) : R := 1.
Definition square (x : R) : R := x * x.
Definition up (g x : R) : R := x + g * plus x.
Definition down (g x : R) : R := x + g * minus x.

Definition everywhere (z : R) : R := 1.
Definition where_positive (z : R) : R := if Rlt_dec 0 z then 1 else 0.
Definition where_negative (z : R) : R := if Rlt_dec z 0 then 1 else 0.

(** A term that treats all inputs alike. *)
Definition alike (A W B : R -> R) : term := Term (fun _ => A) W B.

Definition Epsilon (e : R) : rule := Rule [Group [alike same same same] 1 everywhere] e.
Definition Gamma (g e : R) : rule :=
  Rule [Group [alike plus (up g) (up g); alike minus (down g) nothing] 1 where_positive;
        Group [alike plus (down g) (down g); alike minus (up g) nothing] 1 where_negative] e.
Definition AlphaBeta (alpha beta e : R) : rule :=
  Rule [Group [alike plus plus plus; alike minus minus nothing] alpha everywhere;
        Group [alike plus minus minus; alike minus plus nothing] (- beta) everywhere] e.
Definition ZPlus (e : R) : rule := Rule [Group [alike plus plus plus; alike minus minus nothing] 1 everywhere] e.
Definition WSquare (e : R) : rule := Rule [Group [alike one square square] 1 everywhere] e.
Definition Flat (e : R) : rule := Rule [Group [alike one one nothing] 1 everywhere] e.
Definition ZBox (low high : vector) (e : R) : rule :=
  Rule [Group [alike same same same;
               Term (fun i _ => - low i) plus (fun b => - plus b);
               Term (fun i _ => - high i) minus (fun b => - minus b)] 1 everywhere] e.

(** ** Linear layers: a list of connections, as in tests/oracle.py

    Output j has [fan j] connections; connection c of output j comes from input [source j c] and carries the weight
    number [which j c], so a convolution is a layer in which many connections carry the same weight. *)

Record wiring (n m : nat) := Wiring {
  fan : nat -> nat;
  source : nat -> nat -> nat;
  which : nat -> nat -> nat;
  which_bias : nat -> nat;
  inside : forall j c, (c < fan j)%nat -> (source j c < n)%nat }.
Arguments fan {n m}. Arguments source {n m}. Arguments which {n m}. Arguments which_bias {n m}.
Arguments inside {n m}.

(** Dense: every output is connected to every input, weight (j, c) is number j n + c. *)
Definition dense (n m : nat) : wiring n m :=
  Wiring n m (fun _ => n) (fun _ c => c) (fun j c => j * n + c)%nat (fun j => j) (fun _ _ H => H).

Section LinearLayer.
  Context {n m : nat} (L : wiring n m) (w b : vector) (rho : rule) (a r : vector).
  (** w, b: weights and biases; a: the layer's input; r: the reward of its outputs. *)

  (** z_j = sum_i w_ji a_i + b_j *)
  Definition weighted (j c : nat) : R := w (which L j c) * a (source L j c).
  Definition pre_activation (j : nat) : R := sum (fan L j) (weighted j) + b (which_bias L j).

  (** What a term sees of connection c: W(w) A(a). *)
  Definition seen (T : term) (j c : nat) : R :=
    on_weight T (w (which L j c)) * on_input T (source L j c) (a (source L j c)).
  Definition seen_bias (T : term) (j : nat) : R := on_bias T (b (which_bias L j)).

  (** D_j: all that the group's terms see. *)
  Definition denominator (G : group) (j : nat) : R :=
    sum_list (terms G) (fun T => sum (fan L j) (seen T j) + seen_bias T j).

  (** The group's part of the reward, c mask(z_j) r_j, and its reward per unit: s_j = part / stab (D_j, e). *)
  Definition part (G : group) (j : nat) : R := coefficient G * mask G (pre_activation j) * r j.
  Definition per_unit (G : group) (j : nat) : R := quotient (part G j) (stab (denominator G j) (epsilon rho)).

  (** The reward of connection c, r_(i<-j). *)
  Definition group_connection (G : group) (j c : nat) : R :=
    sum_list (terms G) (fun T => seen T j c * per_unit G j).
  Definition connection (j c : nat) : R := sum_list (groups rho) (fun G => group_connection G j c).

  (** The shares of group and neuron that no input gets.
      Bias: what its terms see of the bias. Stabiliser: e sgn(D) s. Empty group: all of its part where D = 0.
      Mask: what no group takes. *)
  Definition group_bias_share (G : group) (j : nat) : R :=
    sum_list (terms G) (fun T => seen_bias T j * per_unit G j).
  Definition group_stabiliser_share (G : group) (j : nat) : R :=
    if Req_EM_T (denominator G j) 0 then 0 else epsilon rho * sgn (denominator G j) * per_unit G j.
  Definition group_empty_share (G : group) (j : nat) : R :=
    if Req_EM_T (denominator G j) 0 then part G j else 0.

  Definition bias_share (j : nat) : R := sum_list (groups rho) (fun G => group_bias_share G j).
  Definition stabiliser_share (j : nat) : R := sum_list (groups rho) (fun G => group_stabiliser_share G j).
  Definition empty_share (j : nat) : R := sum_list (groups rho) (fun G => group_empty_share G j).
  Definition mask_share (j : nat) : R := r j - sum_list (groups rho) (fun G => part G j).

  (** r_i: all that input i gets, over all connections that come from it. *)
  Definition to_input (i : nat) : R :=
    sum m (fun j => sum (fan L j) (fun c => at_index (source L j c) i * connection j c)).

  (** Feedback of weight k and bias k: d_w = sgn(w) sum r_(i<-j), d_b = sgn(b) sum (the bias's shares). *)
  Definition to_weight (k : nat) : R :=
    sgn (w k) * sum m (fun j => sum (fan L j) (fun c => at_index (which L j c) k * connection j c)).
  Definition to_bias (k : nat) : R :=
    sgn (b k) * sum m (fun j => at_index (which_bias L j) k * bias_share j).

  (** The same three sums for the gradient: d is dJ/dz (lfp_ref.rules.Gradient). *)
  Context (d : vector).
  Definition gradient_input (i : nat) : R :=
    sum m (fun j => sum (fan L j) (fun c => at_index (source L j c) i * (w (which L j c) * d j))).
  Definition gradient_weight (k : nat) : R :=
    sum m (fun j => sum (fan L j) (fun c => at_index (which L j c) k * (a (source L j c) * d j))).
  Definition gradient_bias (k : nat) : R := sum m (fun j => at_index (which_bias L j) k * d j).
End LinearLayer.

(** The epsilon rule in plain letters: D_j = z_j, s_j = r_j / stab (z_j, e), r_(i<-j) = a_i w_ji s_j. *)
Section EpsilonPlainly.
  Context {n m : nat} (L : wiring n m) (w b a r : vector) (e : R) (j : nat).
  Let s : R := quotient (r j) (stab (pre_activation L w b a j) e).

  Lemma connection_epsilon c : connection L w b (Epsilon e) a r j c = w (which L j c) * a (source L j c) * s.
  Proof.
    unfold connection, group_connection, per_unit, part, denominator, seen, seen_bias. simpl.
    unfold everywhere, same. rewrite !Rplus_0_r. replace (1 * 1 * r j) with (r j) by ring. reflexivity.
  Qed.

  Lemma bias_share_epsilon : bias_share L w b (Epsilon e) a r j = b (which_bias L j) * s.
  Proof.
    unfold bias_share, group_bias_share, per_unit, part, denominator, seen, seen_bias. simpl.
    unfold everywhere, same. rewrite !Rplus_0_r. replace (1 * 1 * r j) with (r j) by ring. reflexivity.
  Qed.
End EpsilonPlainly.

(** Dense layers in plain letters (lfp_ref/layers/dense.py):
    r_i = a_i sum_j w_ji s_j, d_w_ji = |w_ji| a_i s_j, d_b_j = |b_j| s_j. *)
Section DensePlainly.
  Context (n m : nat) (w b a r : vector) (e : R).
  Let s (j : nat) : R := quotient (r j) (stab (pre_activation (dense n m) w b a j) e).

  Lemma dense_to_input i : (i < n)%nat ->
    to_input (dense n m) w b (Epsilon e) a r i = a i * sum m (fun j => w (j * n + i)%nat * s j).
  Proof.
    intros Hi. unfold to_input. rewrite <- sum_scale. apply sum_ext; intros j _. simpl fan. simpl source.
    rewrite (sum_ext n _ (fun c => at_index i c * (a i * (w (j * n + i)%nat * s j)))).
    - apply sum_at_index, Hi.
    - intros c _. rewrite connection_epsilon. fold (s j). simpl source. simpl which.
      destruct (Nat.eq_dec c i) as [->|H]; [rewrite !at_index_same|rewrite !at_index_other by auto]; ring.
  Qed.

  Lemma dense_to_weight j i : (j < m)%nat -> (i < n)%nat ->
    to_weight (dense n m) w b (Epsilon e) a r (j * n + i) = Rabs (w (j * n + i)%nat) * (a i * s j).
  Proof.
    intros Hj Hi. unfold to_weight. simpl fan. simpl which.
    rewrite (sum_ext m _ (fun j' => at_index j j' * (w (j * n + i)%nat * (a i * s j)))).
    - rewrite sum_at_index by assumption. rewrite <- sgn_mult. ring.
    - intros j' _. rewrite (sum_ext n _ (fun c => at_index i c * (at_index j j' * (w (j * n + i)%nat * (a i * s j))))).
      + apply sum_at_index, Hi.
      + intros c Hc. rewrite connection_epsilon. fold (s j'). simpl source. simpl which.
        destruct (Nat.eq_dec (j' * n + c) (j * n + i)) as [E|E].
        * assert (j' = j) by nia. subst j'. assert (c = i) by lia. subst c. rewrite !at_index_same. ring.
        * rewrite at_index_other by assumption.
          destruct (Nat.eq_dec i c) as [->|]; [|rewrite (at_index_other i c) by assumption; ring].
          rewrite (at_index_other j j') by congruence. ring.
  Qed.

  Lemma dense_to_bias j : (j < m)%nat -> to_bias (dense n m) w b (Epsilon e) a r j = Rabs (b j) * s j.
  Proof.
    intros Hj. unfold to_bias. rewrite (sum_ext m _ (fun j' => at_index j j' * (b j * s j))).
    - rewrite sum_at_index by assumption. rewrite <- sgn_mult. ring.
    - intros j' _. rewrite bias_share_epsilon. fold (s j'). simpl which_bias.
      destruct (Nat.eq_dec j' j) as [->|H]; [rewrite !at_index_same|rewrite !at_index_other by auto]; ring.
  Qed.
End DensePlainly.

(** The gradient of a dense layer: dJ/da_i = sum_j w_ji d_j, dJ/dw_ji = a_i d_j, dJ/db_j = d_j. *)
Section DenseGradientPlainly.
  Context (n m : nat) (w a d : vector).

  Lemma dense_gradient_input i : (i < n)%nat ->
    gradient_input (dense n m) w d i = sum m (fun j => w (j * n + i)%nat * d j).
  Proof.
    intros Hi. apply sum_ext; intros j _. simpl fan. simpl source. simpl which.
    rewrite (sum_ext n _ (fun c => at_index i c * (w (j * n + i)%nat * d j))); [apply sum_at_index, Hi|].
    intros c _. destruct (Nat.eq_dec c i) as [->|H]; [reflexivity|rewrite !at_index_other by auto; ring].
  Qed.

  Lemma dense_gradient_weight j i : (j < m)%nat -> (i < n)%nat ->
    gradient_weight (dense n m) a d (j * n + i) = a i * d j.
  Proof.
    intros Hj Hi. unfold gradient_weight. simpl fan. simpl source. simpl which.
    rewrite (sum_ext m _ (fun j' => at_index j j' * (a i * d j))); [apply sum_at_index, Hj|]. intros j' _.
    rewrite (sum_ext n _ (fun c => at_index i c * (at_index j j' * (a i * d j)))); [apply sum_at_index, Hi|].
    intros c Hc. destruct (Nat.eq_dec (j' * n + c) (j * n + i)) as [E|E].
    - assert (j' = j) by nia. subst j'. assert (c = i) by lia. subst c. rewrite !at_index_same. ring.
    - rewrite at_index_other by assumption.
      destruct (Nat.eq_dec i c) as [->|]; [|rewrite (at_index_other i c) by assumption; ring].
      rewrite (at_index_other j j') by congruence. ring.
  Qed.

  Lemma dense_gradient_bias j : (j < m)%nat -> gradient_bias (dense n m) d j = d j.
  Proof.
    intros Hj. unfold gradient_bias. simpl which_bias.
    rewrite (sum_ext m _ (fun j' => at_index j j' * d j)); [apply sum_at_index, Hj|].
    intros j' _. destruct (Nat.eq_dec j' j) as [->|H]; [reflexivity|rewrite !at_index_other by auto; ring].
  Qed.
End DenseGradientPlainly.

(** ** Max pooling: the first maximum of a window *)

Record windows (n m : nat) := Windows {
  first : nat -> nat;
  others : nat -> list nat;
  first_inside : forall j, (j < m)%nat -> (first j < n)%nat;
  others_inside : forall j, (j < m)%nat -> Forall (fun i => (i < n)%nat) (others j) }.
Arguments first {n m}. Arguments others {n m}. Arguments first_inside {n m}. Arguments others_inside {n m}.

Fixpoint best (a : vector) (leader : nat) (challengers : list nat) : nat :=
  match challengers with
  | [] => leader
  | i :: rest => best a (if Rlt_dec (a leader) (a i) then i else leader) rest
  end.
Definition winner {n m} (W : windows n m) (a : vector) (j : nat) : nat := best a (first W j) (others W j).

(** What layers keep of a reward, by cause (Layer.kept, lfp_ref/balance.py). *)
Inductive cause := Bias | Stabiliser | EmptyGroup | Mask | Dropped | Statistics | Membrane.

(** ** Layers that couple the samples of a batch, or the steps of time

    Batch normalisation in training sees all samples together, a spiking layer all steps. What such layers share: a
    reward (a gradient) becomes one number a unit, s, and from there on both passes are one linear map in s:
        r_i = a_i by_input(s)_i        d_k = |p_k| by_parameter(s)_k        for s = shares(r)
        dJ/da_i = by_input(s)_i        dJ/dp_k = by_parameter(s)_k          for s = slopes(d)
    p: the layer's parameters; a: its input (all samples, all steps). The linear maps see no s but those of outputs. *)
Record coupled (n m : nat) := Coupling {
  parameters : nat;
  outputs : vector -> vector -> vector;
  shares : vector -> vector -> vector -> vector;
  slopes : vector -> vector -> vector -> vector;
  by_input : vector -> vector -> vector -> vector;
  by_parameter : vector -> vector -> vector -> vector;
  absorbs : vector -> vector -> vector -> cause -> R;
  local_shares : forall p a r r', (forall j, (j < m)%nat -> r j = r' j) ->
    forall j, (j < m)%nat -> shares p a r j = shares p a r' j;
  local_by_input : forall p a s s', (forall j, (j < m)%nat -> s j = s' j) ->
    forall i, (i < n)%nat -> by_input p a s i = by_input p a s' i;
  local_by_parameter : forall p a s s', (forall j, (j < m)%nat -> s j = s' j) ->
    forall k, by_parameter p a s k = by_parameter p a s' k }.
Arguments parameters {n m}. Arguments outputs {n m}. Arguments shares {n m}. Arguments slopes {n m}.
Arguments by_input {n m}. Arguments by_parameter {n m}. Arguments absorbs {n m}.
Arguments local_shares {n m}. Arguments local_by_input {n m}. Arguments local_by_parameter {n m}.

Section CoupledLayer.
  Context {n m : nat} (C : coupled n m) (p a r : vector).
  Definition coupled_reward (i : nat) : R := a i * by_input C p a (shares C p a r) i.
  Definition coupled_feedback (k : nat) : R := Rabs (p k) * by_parameter C p a (shares C p a r) k.
  Definition absorbed_in_all : R :=
    absorbs C p a r Bias + absorbs C p a r Stabiliser + absorbs C p a r EmptyGroup + absorbs C p a r Mask
    + absorbs C p a r Dropped + absorbs C p a r Statistics + absorbs C p a r Membrane.
End CoupledLayer.

(** A layer whose account is complete: the input's reward and all it absorbs make up the outputs' reward. *)
Definition balanced {n m} (C : coupled n m) (p : vector) : Prop :=
  forall a r, sum n (coupled_reward C p a r) + absorbed_in_all C p a r = sum m r.

(** ** Networks: any depth, any nesting; [net n m] takes n numbers to m

    Linear: [weights] and [biases] say how many parameters there are; 0 where they are constants, as in average pooling.
    Flatten and the identity shortcut are [Activation] with phi(z) = z (vectors are flat here already).
    Each T: a network sample by sample, or step by step; its vectors are T rows, one after the other (Sums.v). *)

Inductive net : nat -> nat -> Type :=
  | Linear {n m} (L : wiring n m) (weights biases : nat) (w b : vector) (rho : rule) : net n m
  | Activation {n} (phi derivative : R -> R) : net n n
  | MaxPool {n m} (W : windows n m) : net n m
  | Dropout {n} (keep : nat -> bool) (scale : R) : net n n
  | Coupled {n m} (C : coupled n m) (p : vector) : net n m
  | Each {n m} (T : nat) (each : net n m) : net (T * n) (T * m)
  | Residual {n m} (body shortcut : net n m) (e : R) : net n m
  | Then {n k m} (below : net n k) (above : net k m) : net n m.

Definition Identity (n : nat) : net n n := Activation (fun z => z) (fun _ => 1).

(** Layers one after the other. *)
Definition Sequential {n} (layers : list (net n n)) : net n n := fold_right Then (Identity n) layers.

(** Each entry by itself, k_i a_i + c_i, with the epsilon rule: batch normalisation at inference is this with
    k = weight / sqrt(var + eps) and c = bias - k mean (its bias's share is c s). *)
Definition one_to_one (n : nat) : wiring n n.
Proof.
  refine (Wiring n n (fun j => if Nat.ltb j n then 1%nat else 0%nat) (fun j _ => j) (fun j _ => j) (fun j => j) _).
  abstract (intros j c; destruct (Nat.ltb_spec j n); lia).
Defined.
Definition Affine (n : nat) (k c : vector) (e : R) : net n n := Linear (one_to_one n) 0 0 k c (Epsilon e).
Definition BatchNorm (n : nat) (weight bias mean scale : vector) (e : R) : net n n :=
  Affine n (fun i => weight i * scale i) (fun i => bias i - weight i * scale i * mean i) e.

(** Average pooling: the epsilon rule on the mean over a window, a linear layer whose weights are constants. *)
Definition AveragePool {n m} (window : nat -> list nat) (e : R)
  (inside : forall j, Forall (fun i => (i < n)%nat) (window j)) : net n m.
Proof.
  refine (Linear
            (Wiring n m (fun j => length (window j)) (fun j c => nth c (window j) 0%nat) (fun j _ => j) (fun j => j) _)
            0 0 (fun j => / INR (length (window j))) (fun _ => 0) (Epsilon e)).
  abstract (intros j c Hc; exact (proj1 (Forall_forall _ _) (inside j) _ (nth_In _ _ Hc))).
Defined.

Definition if_kept (keep : bool) (x : R) : R := if keep then x else 0.

Fixpoint forward {n m} (N : net n m) (a : vector) : vector :=
  match N with
  | Linear L _ _ w b _ => pre_activation L w b a
  | Activation phi _ => fun i => phi (a i)
  | MaxPool W => fun j => a (winner W a j)
  | Dropout keep scale => fun i => if_kept (keep i) (scale * a i)
  | Coupled C p => outputs C p a
  | @Each n m T each => in_rows m (fun t => forward each (row n a t))
  | Residual body shortcut _ => fun j => forward body a j + forward shortcut a j
  | Then below above => forward above (forward below a)
  end.

(** The reward of one branch of a sum: y_k r / stab (y, e). *)
Definition branch_reward (yk y r : vector) (e : R) : vector := fun j => yk j * quotient (r j) (stab (y j) e).

(** [feedback N a r]: the reward of the input a, for the reward r of the output. *)
Fixpoint feedback {n m} (N : net n m) (a r : vector) : vector :=
  match N with
  | Linear L _ _ w b rho => to_input L w b rho a r
  | Activation _ _ => r
  | @MaxPool _ m W => fun i => sum m (fun j => at_index (winner W a j) i * r j)
  | Dropout keep _ => fun i => if_kept (keep i) (r i)
  | Coupled C p => coupled_reward C p a r
  | @Each n m T each => in_rows n (fun t => feedback each (row n a t) (row m r t))
  | Residual body shortcut e =>
      let u := forward body a in let v := forward shortcut a in let y j := u j + v j in
      fun i => feedback body a (branch_reward u y r e) i + feedback shortcut a (branch_reward v y r e) i
  | Then below above => feedback below a (feedback above (forward below a) r)
  end.

(** What a sum of branches keeps. *)
Definition kept_by_sum (y r : vector) (e : R) (why : cause) (j : nat) : R :=
  match why with
  | Stabiliser => if Req_EM_T (y j) 0 then 0 else e * sgn (y j) * quotient (r j) (stab (y j) e)
  | EmptyGroup => if Req_EM_T (y j) 0 then r j else 0
  | _ => 0
  end.

Fixpoint kept {n m} (N : net n m) (a r : vector) (why : cause) : R :=
  match N with
  | @Linear _ m L _ _ w b rho =>
      match why with
      | Bias => sum m (bias_share L w b rho a r)
      | Stabiliser => sum m (stabiliser_share L w b rho a r)
      | EmptyGroup => sum m (empty_share L w b rho a r)
      | Mask => sum m (mask_share L w b rho a r)
      | _ => 0
      end
  | Activation _ _ => 0
  | MaxPool _ => 0
  | @Dropout n keep _ => match why with Dropped => sum n (fun i => if_kept (negb (keep i)) (r i)) | _ => 0 end
  | Coupled C p => absorbs C p a r why
  | @Each n m T each => sum T (fun t => kept each (row n a t) (row m r t) why)
  | @Residual _ m body shortcut e =>
      let u := forward body a in let v := forward shortcut a in let y j := u j + v j in
      sum m (kept_by_sum y r e why)
      + kept body a (branch_reward u y r e) why + kept shortcut a (branch_reward v y r e) why
  | Then below above =>
      let middle := forward below a in kept below a (feedback above middle r) why + kept above middle r why
  end.

Definition kept_in_all {n m} (N : net n m) (a r : vector) : R :=
  kept N a r Bias + kept N a r Stabiliser + kept N a r EmptyGroup + kept N a r Mask + kept N a r Dropped
  + kept N a r Statistics + kept N a r Membrane.

(** All stabilisers of a network are >= 0, and layers that couple have a complete account. *)
Fixpoint stabilised {n m} (N : net n m) : Prop :=
  match N with
  | Linear _ _ _ _ _ rho => 0 <= epsilon rho
  | Coupled C p => balanced C p
  | Each _ each => stabilised each
  | Residual body shortcut e => 0 <= e /\ stabilised body /\ stabilised shortcut
  | Then below above => stabilised below /\ stabilised above
  | _ => True
  end.

(** Batch normalisation as lfp_ref/layers/norm.py has it: y = weight (a - mean) scale + bias, r_a = a k s. *)
Lemma batch_norm_forward n weight bias mean scale e a i : (i < n)%nat ->
  forward (BatchNorm n weight bias mean scale e) a i = weight i * ((a i - mean i) * scale i) + bias i.
Proof.
  intros Hi. simpl. unfold pre_activation, weighted. simpl. destruct (Nat.ltb_spec i n); [simpl; ring|lia].
Qed.

Lemma batch_norm_feedback n weight bias mean scale e a r i : (i < n)%nat ->
  let y := forward (BatchNorm n weight bias mean scale e) a i in
  feedback (BatchNorm n weight bias mean scale e) a r i = a i * (weight i * scale i) * quotient (r i) (stab y e).
Proof.
  intros Hi y. simpl. unfold to_input.
  rewrite (sum_ext n _ (fun j => at_index i j * (a i * (weight i * scale i) * quotient (r i) (stab y e)))).
  - apply sum_at_index, Hi.
  - intros j Hj. simpl fan. destruct (Nat.ltb_spec j n); [|lia]. simpl sum. rewrite connection_epsilon. simpl.
    destruct (Nat.eq_dec j i) as [->|E]; [rewrite !at_index_same|rewrite !at_index_other by auto; ring].
    fold y. unfold y. simpl. ring.
Qed.

(** ** Parameters, numbered through the network: value, feedback, gradient *)

Fixpoint size {n m} (N : net n m) : nat :=
  match N with
  | Linear _ weights biases _ _ _ => weights + biases
  | Coupled C _ => parameters C
  | Each _ each => size each
  | Residual body shortcut _ => size body + size shortcut
  | Then below above => size below + size above
  | _ => 0
  end.

Fixpoint parameter {n m} (N : net n m) : vector :=
  match N with
  | Linear _ weights _ w b _ => join weights w b
  | Coupled _ p => p
  | Each _ each => parameter each
  | Residual body shortcut _ => join (size body) (parameter body) (parameter shortcut)
  | Then below above => join (size below) (parameter below) (parameter above)
  | _ => fun _ => 0
  end.

Fixpoint parameter_feedback {n m} (N : net n m) (a r : vector) : vector :=
  match N with
  | Linear L weights _ w b rho => join weights (to_weight L w b rho a r) (to_bias L w b rho a r)
  | Coupled C p => coupled_feedback C p a r
  | @Each n m T each => fun k => sum T (fun t => parameter_feedback each (row n a t) (row m r t) k)
  | Residual body shortcut e =>
      let u := forward body a in let v := forward shortcut a in let y j := u j + v j in
      join (size body) (parameter_feedback body a (branch_reward u y r e))
                       (parameter_feedback shortcut a (branch_reward v y r e))
  | Then below above =>
      let middle := forward below a in
      join (size below) (parameter_feedback below a (feedback above middle r)) (parameter_feedback above middle r)
  | _ => fun _ => 0
  end.

(** Backpropagation of d = dJ/d(output), by its recursion. *)
Fixpoint backprop {n m} (N : net n m) (a d : vector) : vector :=
  match N with
  | Linear L _ _ w _ _ => gradient_input L w d
  | Activation _ derivative => fun i => derivative (a i) * d i
  | @MaxPool _ m W => fun i => sum m (fun j => at_index (winner W a j) i * d j)
  | Dropout keep scale => fun i => if_kept (keep i) (scale * d i)
  | Coupled C p => by_input C p a (slopes C p a d)
  | @Each n m T each => in_rows n (fun t => backprop each (row n a t) (row m d t))
  | Residual body shortcut _ => fun i => backprop body a d i + backprop shortcut a d i
  | Then below above => backprop below a (backprop above (forward below a) d)
  end.

Fixpoint gradient {n m} (N : net n m) (a d : vector) : vector :=
  match N with
  | Linear L weights _ _ _ _ => join weights (gradient_weight L a d) (gradient_bias L d)
  | Coupled C p => by_parameter C p a (slopes C p a d)
  | @Each n m T each => fun k => sum T (fun t => gradient each (row n a t) (row m d t) k)
  | Residual body shortcut _ => join (size body) (gradient body a d) (gradient shortcut a d)
  | Then below above =>
      let middle := forward below a in
      join (size below) (gradient below a (backprop above middle d)) (gradient above middle d)
  | _ => fun _ => 0
  end.
