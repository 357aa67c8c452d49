(** * LFP-0 is |parameter| times backpropagation with secants, for any network

    Feedback passes activations unchanged and divides by z below them: what backpropagation multiplies by is phi'(z),
    what LFP-0 multiplies by is phi(z)/z. So replace every derivative by the secant, which neither the forward pass nor
    feedback can see, and apply the equivalence. No activation need be homogeneous, or differentiable. *)

From Coq Require Import FunctionalExtensionality.
From LFP Require Import sums.Sums sums.Network equivalence.Equivalence.

Definition secant_of (phi : R -> R) (z : R) : R := quotient (phi z) z.

(** A layer that couples samples or steps, its slopes replaced by what it makes of outputs times d: s = shares(y d). *)
Definition secant_coupling {n m} (C : coupled n m) : coupled n m :=
  Coupling n m (parameters C) (outputs C) (shares C) (fun p a d => shares C p a (fun j => outputs C p a j * d j))
    (by_input C) (by_parameter C) (absorbs C) (local_shares C) (local_by_input C) (local_by_parameter C).

(** The same network with secants for derivatives. *)
Fixpoint with_secants {n m} (N : net n m) : net n m :=
  match N with
  | Linear L weights biases w b rho => Linear L weights biases w b rho
  | Activation phi _ => Activation phi (secant_of phi)
  | MaxPool W => MaxPool W
  | Dropout keep scale => Dropout keep scale
  | Coupled C p => Coupled (secant_coupling C) p
  | Each T each => Each T (with_secants each)
  | Residual body shortcut e => Residual (with_secants body) (with_secants shortcut) e
  | Then below above => Then (with_secants below) (with_secants above)
  end.

(** Forward pass, feedback and parameters do not see derivatives. *)
Lemma same_forward {n m} (N : net n m) : forall a, forward (with_secants N) a = forward N a.
Proof.
  induction N; intros a; simpl; try reflexivity; rewrite ?IHN1, ?IHN2; try reflexivity.
  f_equal. apply functional_extensionality; intros t. apply IHN.
Qed.

Lemma same_feedback {n m} (N : net n m) : forall a r, feedback (with_secants N) a r = feedback N a r.
Proof.
  induction N; intros a r; simpl; try reflexivity; rewrite ?same_forward, ?IHN1, ?IHN2; try reflexivity.
  f_equal. apply functional_extensionality; intros t. apply IHN.
Qed.

Lemma same_size {n m} (N : net n m) : size (with_secants N) = size N.
Proof. induction N; simpl; rewrite ?IHN1, ?IHN2; auto. Qed.

Lemma same_parameter {n m} (N : net n m) : parameter (with_secants N) = parameter N.
Proof. induction N; simpl; try reflexivity; rewrite ?same_size, ?IHN1, ?IHN2; auto. Qed.

Lemma same_parameter_feedback {n m} (N : net n m) : forall a r,
  parameter_feedback (with_secants N) a r = parameter_feedback N a r.
Proof.
  induction N; intros a r; simpl; try reflexivity;
    rewrite ?same_size, ?same_forward, ?same_feedback, ?IHN1, ?IHN2; try reflexivity.
  apply functional_extensionality; intros k. apply sum_ext; intros t _. rewrite IHN. reflexivity.
Qed.

(** Nothing is divided by a sum of 0 that something flows into, and no activation makes something of 0. Layers that
    couple samples or steps ask nothing. *)
Fixpoint awake_at {n m} (N : net n m) (a : vector) : Prop :=
  match N with
  | @Linear n m L _ _ w b rho =>
      rho = Epsilon 0 /\
      forall j, (j < m)%nat ->
        pre_activation L w b a j <> 0
        \/ b (which_bias L j) = 0 /\ forall c, (c < fan L j)%nat -> weighted L w a j c = 0
  | @Activation n phi _ => forall i, (i < n)%nat -> a i <> 0 \/ phi (a i) = 0
  | MaxPool _ => True
  | Dropout _ _ => True
  | Coupled _ _ => True
  | @Each n m T each => forall t, (t < T)%nat -> awake_at each (row n a t)
  | @Residual _ m body shortcut e =>
      e = 0
      /\ (forall j, (j < m)%nat -> forward body a j + forward shortcut a j <> 0 \/ forward body a j = 0)
      /\ awake_at body a /\ awake_at shortcut a
  | Then below above => awake_at below a /\ awake_at above (forward below a)
  end.

Lemma secants_are_homogeneous {n m} (N : net n m) : forall a, awake_at N a -> homogeneous_at (with_secants N) a.
Proof.
  induction N; intros a H; simpl in H |- *; rewrite ?same_forward; try exact H; try exact I.
  - intros i Hi. unfold secant_of. destruct (Req_dec (a i) 0) as [E|E].
    + destruct (H i Hi) as [Hne|Hphi]; [contradiction|]. rewrite Hphi, E. ring.
    + rewrite quotient_div by assumption. field. assumption.
  - intros d r Hr j Hj. simpl. apply local_shares; assumption.
  - intros t Ht. apply IHN, H, Ht.
  - destruct H as [He [Hsum [H1 H2]]]. auto.
  - destruct H as [H1 H2]. auto.
Qed.

(** d_w = |w| times the gradient with secants; the input's reward is the input times the input's gradient with secants:
    for every network, whatever its activations. *)
Theorem lfp_0_is_absolute_weight_times_backpropagation_with_secants {n m} (N : net n m) a d r :
  awake_at N a -> (forall j, (j < m)%nat -> r j = forward N a j * d j) ->
  (forall k, parameter_feedback N a r k = Rabs (parameter N k) * gradient (with_secants N) a d k)
  /\ (forall i, (i < n)%nat -> feedback N a r i = a i * backprop (with_secants N) a d i).
Proof.
  intros Hawake Hr.
  destruct (lfp_0_is_absolute_weight_times_gradient (with_secants N) a d r) as [Hk Hi].
  - apply secants_are_homogeneous, Hawake.
  - rewrite same_forward. exact Hr.
  - rewrite same_parameter_feedback, same_parameter in Hk. rewrite same_feedback in Hi. split; assumption.
Qed.

(** Where the secants are the derivatives, in ReLU-like networks, that is the equivalence. *)
Corollary secants_of_two_slopes p q z : z <> 0 -> secant_of (two_slopes p q) z = two_slopes_derivative p q z.
Proof.
  intros Hz. unfold secant_of. rewrite quotient_div, two_slopes_are_homogeneous by assumption. field. assumption.
Qed.
