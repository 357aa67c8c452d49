(** * A convolution, with stride, padding and dilation, as an instance of [wiring]

    Output (o, y, x) is connected, for every channel c and tap (p, q) of the kernel, to the pixel at row
    y stride + p dilation - padding, likewise its column, as far as that lies in the image; the connection carries weight
    (o, c, p, q), whatever y and x are: that is what shares weights. All arrays are flat, row-major. *)

From LFP Require Import sums.Sums sums.Network.

(** ** Layers given by a list of connections (input, weight) for each output *)

Definition links_inside (n : nat) (links : nat -> list (nat * nat)) (j : nat) : list (nat * nat) :=
  filter (fun link => Nat.ltb (fst link) n) (links j).

Definition listed (n m : nat) (links : nat -> list (nat * nat)) (bias_of : nat -> nat) : wiring n m.
Proof.
  refine (Wiring n m
    (fun j => length (links_inside n links j))
    (fun j c => fst (nth c (links_inside n links j) (0, 0)%nat))
    (fun j c => snd (nth c (links_inside n links j) (0, 0)%nat))
    bias_of _).
  abstract (intros j c Hc; apply Nat.ltb_lt;
    exact (proj2 (proj1 (filter_In _ _ _) (nth_In (links_inside n links j) (0, 0)%nat Hc)))).
Defined.

Lemma sum_nth {A} (l : list A) (f : A -> R) (d : A) : sum (length l) (fun c => f (nth c l d)) = sum_list l f.
Proof.
  induction l as [|x l IH]; [reflexivity|]. simpl length. change (S (length l)) with (1 + length l)%nat.
  rewrite sum_split. simpl. rewrite IH. ring.
Qed.

Lemma sum_list_filter_map {A B} (keep : B -> bool) (g : A -> B) (f : B -> R) (l : list A) :
  sum_list (filter keep (map g l)) f = sum_list l (fun x => if keep (g x) then f (g x) else 0).
Proof.
  induction l as [|x l IH]; simpl; [reflexivity|]. destruct (keep (g x)); simpl; rewrite IH; ring.
Qed.

Lemma sum_list_ext_in {A} (l : list A) f g : (forall x, In x l -> f x = g x) -> sum_list l f = sum_list l g.
Proof.
  intros H. induction l as [|x l IH]; simpl; [reflexivity|].
  rewrite IH, H; [reflexivity|left; reflexivity|intros y Hy; apply H; right; assumption].
Qed.

Lemma pre_activation_listed n m links bias_of w b a j :
  pre_activation (listed n m links bias_of) w b a j
  = sum_list (links_inside n links j) (fun link => w (snd link) * a (fst link)) + b (bias_of j).
Proof.
  unfold pre_activation, weighted. f_equal. simpl. exact (sum_nth _ (fun link => w (snd link) * a (fst link)) _).
Qed.

(** ** The convolution *)

Record convolution_shape := Shape {
  channels : nat; height : nat; width : nat;
  outputs : nat; kernel_h : nat; kernel_w : nat;
  stride_h : nat; stride_w : nat; padding_h : nat; padding_w : nat; dilation_h : nat; dilation_w : nat }.

Section Convolution.
  Context (S : convolution_shape).

  Definition out_h : nat := (height S + 2 * padding_h S - (dilation_h S * (kernel_h S - 1) + 1)) / stride_h S + 1.
  Definition out_w : nat := (width S + 2 * padding_w S - (dilation_w S * (kernel_w S - 1) + 1)) / stride_w S + 1.
  Definition image : nat := channels S * height S * width S.

  (** Channel, row and column of an output's number. *)
  Definition channel_of (j : nat) : nat := j / (out_h * out_w).
  Definition row_of (j : nat) : nat := (j / out_w) mod out_h.
  Definition column_of (j : nat) : nat := j mod out_w.

  (** A tap (c, p, q) as output j sees it: row and column, counted from the padding's corner. *)
  Definition tap_row (j p : nat) : nat := row_of j * stride_h S + p * dilation_h S.
  Definition tap_column (j q : nat) : nat := column_of j * stride_w S + q * dilation_w S.

  (** Its connection: pixel and weight. In the padding: pixel [image], which no image has. *)
  Definition in_image (j p q : nat) : bool :=
    (padding_h S <=? tap_row j p) && (tap_row j p <? padding_h S + height S)
    && (padding_w S <=? tap_column j q) && (tap_column j q <? padding_w S + width S).
  Definition tap_pixel (j c p q : nat) : nat :=
    if in_image j p q
    then (c * height S + (tap_row j p - padding_h S)) * width S + (tap_column j q - padding_w S)
    else image.
  Definition tap_weight (j c p q : nat) : nat :=
    ((channel_of j * channels S + c) * kernel_h S + p) * kernel_w S + q.
  Definition taps : list (nat * (nat * nat)) :=
    list_prod (seq 0 (channels S)) (list_prod (seq 0 (kernel_h S)) (seq 0 (kernel_w S))).
  Definition tap_link (j : nat) (tap : nat * (nat * nat)) : nat * nat :=
    let '(c, (p, q)) := tap in (tap_pixel j c p q, tap_weight j c p q).

  Definition convolution : wiring image (outputs S * (out_h * out_w)) :=
    listed image _ (fun j => map (tap_link j) taps) channel_of.

  (** The image with zeros around it. *)
  Definition padded (a : vector) (j c p q : nat) : R :=
    if in_image j p q then a (tap_pixel j c p q) else 0.

  Lemma pixel_in_image j c p q : (c < channels S)%nat -> in_image j p q = true -> (tap_pixel j c p q < image)%nat.
  Proof.
    intros Hc H. unfold tap_pixel. rewrite H. unfold in_image in H.
    apply andb_prop in H. destruct H as [H H4]. apply andb_prop in H. destruct H as [H H3].
    apply andb_prop in H. destruct H as [H1 H2].
    apply Nat.leb_le in H1, H3. apply Nat.ltb_lt in H2, H4. unfold image.
    set (v := (tap_row j p - padding_h S)%nat). set (u := (tap_column j q - padding_w S)%nat).
    assert (v < height S)%nat by (unfold v; lia). assert (u < width S)%nat by (unfold u; lia).
    assert (c * height S + v < channels S * height S)%nat by nia. nia.
  Qed.

  (** z_(o, y, x) = b_o + sum over c, p, q of w_(o, c, p, q) times the padded image at
      (c, y stride + p dilation, x stride + q dilation): the formula of a convolution. *)
  Theorem convolution_forward w b a j :
    pre_activation convolution w b a j
    = sum_list taps (fun tap => let '(c, (p, q)) := tap in w (tap_weight j c p q) * padded a j c p q)
      + b (channel_of j).
  Proof.
    unfold convolution. rewrite pre_activation_listed. f_equal. unfold links_inside. rewrite sum_list_filter_map.
    apply sum_list_ext_in. intros [c [p q]] H.
    apply in_prod_iff in H. destruct H as [H _]. apply in_seq in H.
    unfold padded, tap_link. cbn [fst snd]. destruct (in_image j p q) eqn:E.
    - pose proof (pixel_in_image j c p q ltac:(lia) E) as Hlt. apply Nat.ltb_lt in Hlt. rewrite Hlt. reflexivity.
    - unfold tap_pixel. rewrite E, Nat.ltb_irrefl. ring.
  Qed.

  (** Outputs of one channel carry the same weights, wherever they are. *)
  Theorem weights_are_shared j k c p q : channel_of j = channel_of k -> tap_weight j c p q = tap_weight k c p q.
  Proof. intros H. unfold tap_weight. rewrite H. reflexivity. Qed.
End Convolution.
