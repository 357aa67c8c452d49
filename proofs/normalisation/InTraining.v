(** * Batch normalisation in training, inside a network

    Groups of values are normalised together, each output with a weight and a bias of its own number:
        y_k = w_(which k) x_k + b_(which k),   x the values of k's group less their mean, times scale.
    Batch normalisation: a group is a channel of all samples (and pixels), which k is k's channel; layer normalisation:
    a sample, which k = k. A member of the network type, by the constructor for layers that couple (Network.v): what is
    proved of networks holds with it, the true gradient included. Vectors are those of the whole batch; other layers run
    sample by sample (Each). *)

From Coq Require Import FunctionalExtensionality.
From LFP Require Import sums.Sums sums.Network conservation.Conservation equivalence.Equivalence equivalence.Derivative.
From LFP Require Import normalisation.Normalisation.

(** ** Groups of equally many values: value q of group c lies at place c q *)
Record grouping (n : nat) := Grouping {
  number : nat;
  members : nat;
  place : nat -> nat -> nat;
  group_of : nat -> nat;
  position : nat -> nat;
  placed : forall c q, (c < number)%nat -> (q < members)%nat ->
    (place c q < n)%nat /\ group_of (place c q) = c /\ position (place c q) = q;
  found : forall k, (k < n)%nat ->
    (group_of k < number)%nat /\ (position k < members)%nat /\ place (group_of k) (position k) = k }.
Arguments number {n}. Arguments members {n}. Arguments place {n}. Arguments group_of {n}. Arguments position {n}.
Arguments placed {n}. Arguments found {n}.

Definition in_group {n} (G : grouping n) (f : vector) (c : nat) : vector := fun q => f (place G c q).

Lemma sum_by_groups {n} (G : grouping n) f : sum n f = sum (number G) (fun c => sum (members G) (in_group G f c)).
Proof.
  transitivity (sum n (fun k => sum (number G) (fun c => sum (members G) (fun q => at_index (place G c q) k * f k)))).
  - apply sum_ext; intros k Hk. destruct (found G k Hk) as [Hc [Hq E]].
    rewrite (sum_ext _ _ (fun c => at_index (group_of G k) c * f k)); [symmetry; apply sum_at_index, Hc|].
    intros c Hc'.
    rewrite (sum_ext _ _ (fun q => at_index (position G k) q * (at_index (group_of G k) c * f k)));
      [apply sum_at_index, Hq|].
    intros q Hq'. destruct (placed G c q Hc' Hq') as [_ [E1 E2]].
    destruct (Nat.eq_dec (place G c q) k) as [Ek|Hne].
    + rewrite <- Ek, E1, E2, !at_index_same. ring.
    + rewrite at_index_other by assumption. destruct (Nat.eq_dec (position G k) q) as [<-|Hq2].
      * destruct (Nat.eq_dec (group_of G k) c) as [<-|Hc2]; [contradiction|].
        rewrite (at_index_other (group_of G k)) by assumption. ring.
      * rewrite (at_index_other (position G k)) by assumption. ring.
  - rewrite sum_swap. apply sum_ext; intros c Hc. rewrite sum_swap. apply sum_ext; intros q Hq.
    rewrite (sum_ext n _ (fun k => at_index (place G c q) k * f (place G c q)))
      by (intros; symmetry; apply at_index_rename).
    apply sum_at_index. apply placed; assumption.
Qed.

(** Channels of a batch: samples of [channels * pixels] numbers, one after the other (pixels = 1: a dense layer). *)
Definition channels_of_batch (samples channels pixels : nat) : grouping (samples * (channels * pixels)).
Proof.
  refine (Grouping _ channels (samples * pixels)
            (fun c q => q / pixels * (channels * pixels) + (c * pixels + q mod pixels))%nat
            (fun k => k mod (channels * pixels) / pixels)%nat
            (fun k => k / (channels * pixels) * pixels + k mod (channels * pixels) mod pixels)%nat _ _).
  - abstract (intros c q Hc Hq; destruct (row_and_place samples pixels q Hq) as [t [i [Ht [Hi ->]]]];
      pose proof (row_below channels pixels c i Hc Hi) as Hk;
      rewrite !(div_at pixels t i), !(mod_at pixels t i) by exact Hi;
      rewrite (div_at _ t _ Hk), (mod_at _ t _ Hk), (div_at _ c _ Hi), (mod_at _ c _ Hi);
      repeat split; exact (row_below samples _ t _ Ht Hk)).
  - abstract (intros k Hk; destruct (row_and_place samples (channels * pixels) k Hk) as [t [k' [Ht [Hk' ->]]]];
      destruct (row_and_place channels pixels k' Hk') as [c [i [Hc [Hi ->]]]];
      rewrite (div_at _ t _ Hk'), (mod_at _ t _ Hk'), (div_at _ c _ Hi), (mod_at _ c _ Hi);
      rewrite (div_at _ t _ Hi), (mod_at _ t _ Hi);
      repeat split; [exact Hc|exact (row_below samples pixels t i Ht Hi)]).
Defined.

(** All values together: layer normalisation of one sample. *)
Definition one_group (n : nat) : grouping n.
Proof.
  refine (Grouping n 1 n (fun _ q => q) (fun _ => 0%nat) (fun k => k) _ _); abstract (intros; repeat split; lia).
Defined.

Section Layer.
  Context {n : nat} (G : grouping n) (which : nat -> nat) (count : nat) (eta e : R).
  (** which k: the number of output k's weight and bias; count: of how many. Parameters: weights, then biases. *)

  Definition values (a : vector) (k : nat) : vector := in_group G a (group_of G k).
  Definition weight_at (p : vector) (k : nat) : R := p (which k).
  Definition bias_at (p : vector) (k : nat) : R := p (count + which k)%nat.
  Definition normal_at (a : vector) (k : nat) : R := normal (members G) eta (values a k) (position G k).
  Definition output_at (p a : vector) (k : nat) : R :=
    output (members G) eta (values (weight_at p) k) (values (bias_at p) k) (values a k) (position G k).
  Definition normalised_share (p a r : vector) (k : nat) : R := quotient (r k) (stab (output_at p a k) e).

  (** With t = w s: a scale (t - mean t - x mean (x t)) is shared out, a scale (mean t + x mean (x t)) the statistics'. *)
  Definition normalised_absorbs (p a r : vector) (why : cause) (k : nat) : R :=
    let y := output_at p a k in
    let s := normalised_share p a r in
    match why with
    | Bias => bias_share_ (members G) eta (values a k) (values (weight_at p) k) (values (bias_at p) k)
                (values s k) (position G k)
    | Statistics => statistics_share (members G) eta (values a k) (values (weight_at p) k) (values s k) (position G k)
    | Stabiliser => if Req_EM_T y 0 then 0 else e * sgn y * s k
    | EmptyGroup => if Req_EM_T y 0 then r k else 0
    | _ => 0
    end.

  Definition normalisation : coupled n n.
  Proof.
    refine (Coupling n n (count + count)
      output_at
      normalised_share
      (fun _ _ d => d)
      (fun p a s k => adjoint (members G) eta (values a k) (values (fun l => weight_at p l * s l) k) (position G k))
      (fun p a s => join count (fun q => sum n (fun k => at_index (which k) q * (normal_at a k * s k)))
                               (fun q => sum n (fun k => at_index (which k) q * s k)))
      (fun p a r why => sum n (normalised_absorbs p a r why)) _ _ _).
    - abstract (intros p a r r' Hr k Hk; unfold normalised_share; rewrite Hr by assumption; reflexivity).
    - abstract (intros p a s s' Hs k Hk; destruct (found G k Hk) as [Hc [Hq E]];
        assert (Hv : forall q, (q < members G)%nat ->
          values (fun l => weight_at p l * s l) k q = values (fun l => weight_at p l * s' l) k q)
          by (intros q Hq'; unfold values, in_group; rewrite Hs by (apply placed; assumption); reflexivity);
        unfold adjoint; rewrite Hv by assumption; f_equal; f_equal; [f_equal; apply mean_ext, Hv|];
        f_equal; apply mean_ext; intros q Hq'; rewrite Hv by assumption; reflexivity).
    - abstract (intros p a s s' Hs q; unfold join; destruct (Nat.ltb q count);
        apply sum_ext; intros k Hk; rewrite Hs by assumption; reflexivity).
  Defined.

  Definition Normalise (p : vector) : net n n := Coupled normalisation p.

  (** y = w x + b *)
  Lemma normalise_forward p a k : (k < n)%nat ->
    forward (Normalise p) a k = weight_at p k * normal_at a k + bias_at p k.
  Proof.
    intros Hk. simpl. unfold output_at, output. unfold values at 1 3. unfold in_group.
    destruct (found G k Hk) as [_ [_ ->]]. reflexivity.
  Qed.

  (** ** Nothing is lost without a name: the statistics' share has one *)
  Theorem normalisation_is_balanced p : 0 <= e -> balanced normalisation p.
  Proof.
    intros He a r. unfold absorbed_in_all. simpl.
    rewrite <- !sum_plus. apply sum_ext; intros k Hk. unfold normalised_absorbs, coupled_reward. simpl.
    destruct (found G k Hk) as [Hc [Hq E]].
    set (s := normalised_share p a r). set (y := output_at p a k).
    pose proof (conservation_through_the_statistics (members G) eta (values a k) (values (weight_at p) k)
      (values (bias_at p) k) (values s k) e (fun _ => s k * stab y e) (position G k)) as H.
    assert (Es : values s k (position G k) = s k) by (unfold values, in_group; rewrite E; reflexivity).
    assert (Ea : values a k (position G k) = a k) by (unfold values, in_group; rewrite E; reflexivity).
    fold (output_at p a k) in H. fold y in H. rewrite Es in H. specialize (H eq_refl).
    unfold input_reward in H. rewrite Ea in H.
    change (t_ (values (weight_at p) k) (values s k)) with (values (fun l => weight_at p l * s l) k) in H.
    destruct (Req_EM_T y 0) as [Hy|Hy].
    - rewrite Hy in H. unfold stab in H. rewrite Rplus_0_l in H. lra.
    - assert (Hs : s k * stab y e = r k)
        by (unfold s, normalised_share; fold y; apply quotient_mult, stab_nonzero; assumption).
      rewrite Hs in H. lra.
  Qed.

  (** ** Equivalence: with e = 0, and where no output is 0, rewards per unit are the gradient's *)
  Theorem normalisation_is_homogeneous p a :
    e = 0 -> (forall k, (k < n)%nat -> output_at p a k <> 0) -> homogeneous_at (Normalise p) a.
  Proof.
    intros He Hy d r Hr k Hk. simpl in *. unfold normalised_share.
    rewrite He, stab_zero, Hr, quotient_div by (try apply Hy; assumption). field. apply Hy, Hk.
  Qed.

  Lemma scatter_all K' f (v : vector) : (forall k, (k < n)%nat -> (which k < K')%nat) ->
    sum K' (fun q => sum n (fun k => at_index (which k) q * f k) * v q) = sum n (fun k => f k * v (which k)).
  Proof.
    intros Hwhich. rewrite (sum_ext K' _ (fun q => sum n (fun k => at_index (which k) q * (f k * v (which k))))).
    - rewrite sum_swap. apply sum_ext; intros k Hk. apply sum_at_index, Hwhich, Hk.
    - intros q _. rewrite <- sum_scale_right. apply sum_ext; intros k _.
      transitivity (at_index (which k) q * v q * f k); [ring|]. rewrite <- at_index_rename. ring.
  Qed.

  (** ** And it is the gradient: statistics depend on the whole group, and what is done on the way back knows it *)
  Theorem normalisation_is_smooth p a K :
    (0 < members G)%nat -> 0 < eta -> (forall k, (k < n)%nat -> (which k < count)%nat) ->
    smooth_given (Normalise p) a K.
  Proof.
    intros Hpos Heta Hwhich A A' v HA0 HA. simpl in *.
    set (p_ := fun t k => p k + t * below_size (count + count) v k).
    assert (D : forall k, derivative_at_0 (fun t => p_ t k) (below_size (count + count) v k))
      by (intros k; apply d_affine).
    assert (Hgroup : forall c q, (c < number G)%nat -> (q < members G)%nat -> (place G c q < n)%nat)
      by (intros; apply placed; assumption).
    destruct (rows_with (fun c y =>
        (forall q, (q < members G)%nat -> derivative_at_0 (fun t => output (members G) eta
           (in_group G (weight_at (p_ t)) c) (in_group G (bias_at (p_ t)) c) (in_group G (A t) c) q) (y q))
        /\ forall d, sum (members G) (fun q => d q * y q)
           = sum (members G) (fun q => adjoint (members G) eta (in_group G (A 0) c)
                                (fun q => in_group G (weight_at (p_ 0)) c q * d q) q * in_group G A' c q)
             + sum (members G) (fun q => normal (members G) eta (in_group G (A 0) c) q * d q
                                * below_size (count + count) v (which (place G c q)))
             + sum (members G) (fun q => d q * below_size (count + count) v (count + which (place G c q))%nat))
          (number G))
      as [Y HY].
    { intros c Hc.
      apply (the_adjoint_is_the_transposed_derivative (members G) Hpos eta Heta (fun t => in_group G (A t) c)
               (fun t => in_group G (weight_at (p_ t)) c) (fun t => in_group G (bias_at (p_ t)) c) (in_group G A' c)
               (fun q => below_size (count + count) v (which (place G c q)))
               (fun q => below_size (count + count) v (count + which (place G c q))%nat)).
      - intros q Hq. apply HA. apply Hgroup; assumption.
      - intros q Hq. apply D.
      - intros q Hq. apply D. }
    assert (P0 : p_ 0 = p) by (apply functional_extensionality; intros k; unfold p_; ring).
    exists (fun k => Y (group_of G k) (position G k)). split.
    - intros k Hk. destruct (found G k Hk) as [Hc [Hq _]]. exact (proj1 (HY _ Hc) _ Hq).
    - intros d. rewrite P0, HA0 in HY.
      transitivity (sum n (fun k =>
        adjoint (members G) eta (values a k) (values (fun l => weight_at p l * d l) k) (position G k) * A' k
        + normal_at a k * d k * below_size (count + count) v (which k)
        + d k * below_size (count + count) v (count + which k)%nat)).
      + rewrite !(sum_by_groups G). apply sum_ext; intros c Hc.
        transitivity (sum (members G) (fun q => in_group G d c q * Y c q)).
        * apply sum_ext; intros q Hq. unfold in_group. destruct (placed G c q Hc Hq) as [_ [-> ->]]. reflexivity.
        * rewrite (proj2 (HY c Hc) (in_group G d c)), <- !sum_plus. apply sum_ext; intros q Hq.
          unfold normal_at, values, in_group. destruct (placed G c q Hc Hq) as [_ [-> ->]]. reflexivity.
      + rewrite !sum_plus, sum_join_times, Rplus_assoc. f_equal. f_equal.
        * rewrite (scatter_all count) by exact Hwhich. apply sum_ext; intros k Hk. unfold below_size.
          specialize (Hwhich k Hk). destruct (Nat.ltb_spec (which k) (count + count)); [ring|lia].
        * rewrite (scatter_all count) by exact Hwhich. apply sum_ext; intros k Hk. unfold below_size.
          specialize (Hwhich k Hk). destruct (Nat.ltb_spec (count + which k) (count + count)); [ring|lia].
  Qed.
End Layer.

(** With secants for derivatives elsewhere, normalisation keeps its gradient: told r = y d, each s is d. *)
Lemma secants_leave_normalisation {n} (G : grouping n) which count eta p a d k :
  output_at G which count eta p a k <> 0 -> normalised_share G which count eta 0 p a
    (fun j => output_at G which count eta p a j * d j) k = d k.
Proof. intros Hy. unfold normalised_share. rewrite stab_zero, quotient_div by exact Hy. field. exact Hy. Qed.

(** Layer normalisation, a weight and a bias a feature: through the statistics, in training and outside of it. It
    couples the features of a sample, so it runs sample by sample (Each). (The code books the mean's part of [Bias] here as the
    statistics'; the sum of the two is the same.) *)
Definition LayerNorm (n : nat) (eta e : R) (p : vector) : net n n := Normalise (one_group n) (fun k => k) n eta e p.

Theorem lfp_0_through_layer_norm n eta p a : (0 < n)%nat -> 0 < eta ->
  (forall k, (k < n)%nat -> forward (LayerNorm n eta 0 p) a k <> 0) ->
  homogeneous_at (LayerNorm n eta 0 p) a /\ smooth_at (LayerNorm n eta 0 p) a.
Proof.
  intros Hn Heta Hy. split; [apply normalisation_is_homogeneous; [reflexivity|exact Hy]|].
  apply normalisation_is_smooth; [exact Hn|exact Heta|auto].
Qed.

(** ** Batch normalisation in training, between layers that run sample by sample *)

Definition BatchNormInTraining (samples channels pixels : nat) (eta e : R) (p : vector)
  : net (samples * (channels * pixels)) (samples * (channels * pixels)) :=
  let G := channels_of_batch samples channels pixels in Normalise G (group_of G) channels eta e p.

(** Below it and above it any networks as in Equivalence: LFP-0 is |parameter| times the derivative of the batch's
    objective, through the statistics, for every parameter of the three. *)
Theorem lfp_0_through_batch_norm_in_training {n m} samples channels pixels eta p
  (below : net n (channels * pixels)) (above : net (channels * pixels) m) (x d r : vector) :
  let norm := BatchNormInTraining samples channels pixels eta 0 p in
  let N := Then (Each samples below) (Then norm (Each samples above)) in
  let a := forward (Each samples below) x in
  let y := forward norm a in
  (0 < samples * pixels)%nat -> 0 < eta ->
  (forall s, (s < samples)%nat -> homogeneous_at below (row n x s) /\ smooth_at below (row n x s)) ->
  (forall s, (s < samples)%nat ->
     homogeneous_at above (row (channels * pixels) y s) /\ smooth_at above (row (channels * pixels) y s)) ->
  (forall k, (k < samples * (channels * pixels))%nat -> y k <> 0) ->
  (forall j, (j < samples * m)%nat -> r j = forward N x j * d j) ->
  forall k, (k < size N)%nat ->
  exists g, derivable_pt_lim (fun t => sum (samples * m) (fun j => d j * forward (shifted N (at_index k) t) x j)) 0 g
            /\ parameter_feedback N x r k = Rabs (parameter N k) * g.
Proof.
  intros norm N a y Hpos Heta Hbelow Habove Hy Hr k Hk.
  apply lfp_0_is_absolute_weight_times_partial_derivative; [| |exact Hr|exact Hk].
  - split; [intros s Hs; apply Hbelow, Hs|split; [|intros s Hs; apply Habove, Hs]].
    apply normalisation_is_homogeneous; [reflexivity|exact Hy].
  - split; [intros s Hs; apply (Hbelow s Hs)|split; [|intros s Hs; apply (Habove s Hs)]].
    apply normalisation_is_smooth; [exact Hpos|exact Heta|]. intros i Hi.
    apply (found (channels_of_batch samples channels pixels)), Hi.
Qed.

(** And conservation: with all that layers of the three keep, the statistics' share among it, rewards add up. *)
Theorem conservation_through_batch_norm_in_training {n m} samples channels pixels eta e p
  (below : net n (channels * pixels)) (above : net (channels * pixels) m) (x r : vector) :
  let norm := BatchNormInTraining samples channels pixels eta e p in
  let N := Then (Each samples below) (Then norm (Each samples above)) in
  0 <= e -> stabilised below -> stabilised above ->
  sum (samples * n) (feedback N x r) + kept_in_all N x r = sum (samples * m) r.
Proof.
  intros norm N He Hbelow Habove. apply conservation_of_a_network.
  repeat split; [exact Hbelow|apply normalisation_is_balanced, He|exact Habove].
Qed.
