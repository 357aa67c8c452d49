(** * One hidden layer, one sample, written out

    x -> z = W x + b -> a = phi (z) -> out = V a + c, dense, with the feedback of LFP-epsilon and the gradient side by
    side. The output's reward is out times its gradient. *)

From LFP Require Import sums.Sums sums.Network.

Section OneHiddenLayer.
  Context (inputs hidden outputs : nat).
  Context (phi derivative : R -> R) (x : vector) (w v : nat -> vector) (b c : vector).
  Context (dJ : vector).              (* dJ / d out *)
  Context (e : R).                    (* the stabiliser of both layers; 0: LFP-0 *)

  Definition z (h : nat) : R := sum inputs (fun i => w h i * x i) + b h.
  Definition a (h : nat) : R := phi (z h).
  Definition out (o : nat) : R := sum hidden (fun h => v o h * a h) + c o.

  (** LFP: reward per unit of the outputs, reward of the hidden units, reward per unit of those. *)
  Definition s_out (o : nat) : R := quotient (out o * dJ o) (stab (out o) e).
  Definition r_hidden (h : nat) : R := a h * sum outputs (fun o => v o h * s_out o).
  Definition s_hidden (h : nat) : R := quotient (r_hidden h) (stab (z h) e).

  Definition d_v (o h : nat) : R := Rabs (v o h) * (a h * s_out o).
  Definition d_c (o : nat) : R := Rabs (c o) * s_out o.
  Definition d_w (h i : nat) : R := Rabs (w h i) * (x i * s_hidden h).
  Definition d_b (h : nat) : R := Rabs (b h) * s_hidden h.

  (** The gradient: dJ/dz of the hidden units, dJ/d parameter. *)
  Definition backed (h : nat) : R := sum outputs (fun o => v o h * dJ o).
  Definition delta (h : nat) : R := derivative (z h) * backed h.

  Definition g_v (o h : nat) : R := a h * dJ o.
  Definition g_c (o : nat) : R := dJ o.
  Definition g_w (h i : nat) : R := x i * delta h.
  Definition g_b (h : nat) : R := delta h.

  (** <d, dJ/dw>, over all parameters. *)
  Definition inner_product : R :=
    sum outputs (fun o => sum hidden (fun h => d_v o h * g_v o h)) + sum outputs (fun o => d_c o * g_c o)
    + sum hidden (fun h => sum inputs (fun i => d_w h i * g_w h i)) + sum hidden (fun h => d_b h * g_b h).

  (** How far a unit of s moves a neuron: sum |weight| input^2 + |bias| (see one_neuron). *)
  Definition leverage_out (o : nat) : R := sum hidden (fun h => Rabs (v o h) * a h ^ 2) + Rabs (c o).
  Definition leverage_hidden (h : nat) : R := sum inputs (fun i => Rabs (w h i) * x i ^ 2) + Rabs (b h).

  Lemma leverage_out_nonneg o : 0 <= leverage_out o.
  Proof.
    unfold leverage_out. apply Rplus_le_le_0_compat; [|apply Rabs_pos].
    apply sum_nonneg; intros; apply Rmult_le_pos; [apply Rabs_pos|apply square_nonneg].
  Qed.

  Lemma leverage_hidden_nonneg h : 0 <= leverage_hidden h.
  Proof.
    unfold leverage_hidden. apply Rplus_le_le_0_compat; [|apply Rabs_pos].
    apply sum_nonneg; intros; apply Rmult_le_pos; [apply Rabs_pos|apply square_nonneg].
  Qed.

  (** Neuron by neuron: <d, g> = sum over neurons of s * dJ/dz * leverage. *)
  Lemma inner_product_by_neuron :
    inner_product = sum outputs (fun o => s_out o * dJ o * leverage_out o)
                    + sum hidden (fun h => s_hidden h * delta h * leverage_hidden h).
  Proof.
    unfold inner_product, leverage_out, leverage_hidden.
    rewrite (sum_ext outputs (fun o => s_out o * dJ o * (sum hidden (fun h => Rabs (v o h) * a h ^ 2) + Rabs (c o)))
               (fun o => sum hidden (fun h => d_v o h * g_v o h) + d_c o * g_c o)).
    - rewrite (sum_ext hidden
                 (fun h => s_hidden h * delta h * (sum inputs (fun i => Rabs (w h i) * x i ^ 2) + Rabs (b h)))
                 (fun h => sum inputs (fun i => d_w h i * g_w h i) + d_b h * g_b h)).
      + rewrite !sum_plus. ring.
      + intros h _. rewrite Rmult_plus_distr_l, <- sum_scale. unfold d_b, g_b. f_equal; [|ring].
        apply sum_ext; intros i _. unfold d_w, g_w. ring.
    - intros o _. rewrite Rmult_plus_distr_l, <- sum_scale. unfold d_c, g_c. f_equal; [|ring].
      apply sum_ext; intros h _. unfold d_v, g_v. ring.
  Qed.
End OneHiddenLayer.

(** It is what the network of that shape computes: <feedback, gradient> over all its parameters. *)
Theorem inner_product_of_the_network inputs hidden outputs phi derivative x w v b c dJ e :
  let N := Then (Linear (dense inputs hidden) (hidden * inputs) hidden w b (Epsilon e))
          (Then (Activation phi derivative)
                (Linear (dense hidden outputs) (outputs * hidden) outputs v c (Epsilon e))) in
  sum (size N) (fun k => parameter_feedback N x (fun j => forward N x j * dJ j) k * gradient N x dJ k)
  = inner_product inputs hidden outputs phi derivative x
      (fun h i => w (h * inputs + i)%nat) (fun o h => v (o * hidden + h)%nat) b c dJ e.
Proof.
  intros N. unfold N. cbn [size parameter_feedback gradient forward feedback backprop].
  rewrite !sum_join_product, !sum_rows. unfold inner_product. simpl (sum 0 _). rewrite Rplus_0_l.
  match goal with |- ?w1 + ?b1 + (?w2 + ?b2) = _ => transitivity (w2 + b2 + w1 + b1); [ring|] end.
  f_equal; [f_equal; [f_equal|]|].
  - apply sum_ext; intros o Ho. apply sum_ext; intros h Hh.
    rewrite dense_to_weight, dense_gradient_weight by assumption. reflexivity.
  - apply sum_ext; intros o Ho. rewrite dense_to_bias, dense_gradient_bias by assumption. reflexivity.
  - apply sum_ext; intros h Hh. apply sum_ext; intros i Hi.
    rewrite dense_to_weight, dense_gradient_weight, dense_to_input, dense_gradient_input by assumption. reflexivity.
  - apply sum_ext; intros h Hh.
    rewrite dense_to_bias, dense_gradient_bias, dense_to_input, dense_gradient_input by assumption. reflexivity.
Qed.
