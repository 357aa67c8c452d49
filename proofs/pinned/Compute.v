(** * Computing inside Coq with given numbers

    Real numbers do not compute, fractions do. An example of this folder is unfolded to +, -, *, / and comparisons of
    given numbers; the tactic [evaluate] reads that as an [expression], computes its value as a fraction, and the
    theorem below says that the real number is that fraction. *)

From Coq Require Import QArith Qreals.
From LFP Require Export sums.Sums.

Open Scope R_scope.

(** A vector by its entries; 0 beyond them. *)
Definition given (entries : list R) : vector := fun k => nth k entries 0.

Inductive comparison_of := AtMost | Below | Equal.

Inductive expression :=
  | Given (n : Z)
  | Plus (x y : expression)
  | Minus (x y : expression)
  | Times (x y : expression)
  | Over (x y : expression)
  | Negative (x : expression)
  | Absolute (x : expression)
  | If (how : comparison_of) (x y yes no : expression).

Fixpoint real (x : expression) : R :=
  match x with
  | Given n => IZR n
  | Plus x y => real x + real y
  | Minus x y => real x - real y
  | Times x y => real x * real y
  | Over x y => real x / real y
  | Negative x => - real x
  | Absolute x => Rabs (real x)
  | If AtMost x y yes no => if Rle_dec (real x) (real y) then real yes else real no
  | If Below x y yes no => if Rlt_dec (real x) (real y) then real yes else real no
  | If Equal x y yes no => if Req_EM_T (real x) (real y) then real yes else real no
  end.

Definition holds (how : comparison_of) (p q : Q) : bool :=
  match how with
  | AtMost => Qle_bool p q
  | Below => negb (Qle_bool q p)
  | Equal => Qeq_bool p q
  end.

(** None where something is divided by 0. *)
Fixpoint fraction (x : expression) : option Q :=
  match x with
  | Given n => Some (inject_Z n)
  | Plus x y => match fraction x, fraction y with Some p, Some q => Some (Qred (p + q)) | _, _ => None end
  | Minus x y => match fraction x, fraction y with Some p, Some q => Some (Qred (p - q)) | _, _ => None end
  | Times x y => match fraction x, fraction y with Some p, Some q => Some (Qred (p * q)) | _, _ => None end
  | Over x y =>
      match fraction x, fraction y with
      | Some p, Some q => if Qeq_bool q 0 then None else Some (Qred (p / q))
      | _, _ => None
      end
  | Negative x => match fraction x with Some p => Some (Qopp p) | None => None end
  | Absolute x =>
      match fraction x with Some p => Some (if Qle_bool 0 p then p else Qopp p) | None => None end
  | If how x y yes no =>
      match fraction x, fraction y with
      | Some p, Some q => if holds how p q then fraction yes else fraction no
      | _, _ => None
      end
  end.

Lemma Q2R_red q : Q2R (Qred q) = Q2R q.
Proof. apply Qeq_eqR, Qred_correct. Qed.

Lemma at_most p q : if Qle_bool p q then Q2R p <= Q2R q else Q2R q < Q2R p.
Proof.
  destruct (Qle_bool p q) eqn:E; [apply Qle_Rle, Qle_bool_iff, E|].
  apply Qlt_Rlt, Qnot_le_lt. intros H. apply Qle_bool_iff in H. congruence.
Qed.

Lemma equal p q : if Qeq_bool p q then Q2R p = Q2R q else Q2R p <> Q2R q.
Proof.
  destruct (Qeq_bool p q) eqn:E; [apply Qeq_eqR, Qeq_bool_iff, E|].
  intros H. apply eqR_Qeq, Qeq_bool_iff in H. congruence.
Qed.

Lemma the_same {A} (p q : A) : Some p = Some q -> q = p.
Proof. congruence. Qed.

Theorem the_real_number_is_the_fraction x : forall q, fraction x = Some q -> real x = Q2R q.
Proof.
  assert (Hzero : Q2R 0 = 0) by (unfold Q2R; simpl; field).
  induction x; intros q E; cbn [fraction real] in E |- *;
    repeat match type of E with
    | context [match fraction ?y with _ => _ end] => destruct (fraction y) eqn:?; [|discriminate]
    end;
    repeat match goal with
    | IH : forall q, Some ?p = Some q -> _ |- _ => rewrite (IH p eq_refl); clear IH
    end.
  - apply the_same in E; subst q. unfold Q2R. simpl. field.
  - apply the_same in E; subst q. rewrite Q2R_red, Q2R_plus. reflexivity.
  - apply the_same in E; subst q. rewrite Q2R_red, Q2R_minus. reflexivity.
  - apply the_same in E; subst q. rewrite Q2R_red, Q2R_mult. reflexivity.
  - pose proof (equal q1 0) as Hq. destruct (Qeq_bool q1 0) eqn:Eq; [discriminate|]. apply the_same in E; subst q.
    rewrite Q2R_red, Q2R_div; [reflexivity|]. intros H. apply Qeq_bool_iff in H. congruence.
  - apply the_same in E; subst q. rewrite Q2R_opp. reflexivity.
  - apply the_same in E; subst q. pose proof (at_most 0 q0) as H. rewrite Hzero in H.
    destruct (Qle_bool 0 q0); [apply Rabs_right; lra|]. rewrite Q2R_opp. apply Rabs_left, H.
  - destruct how; unfold holds in E.
    + pose proof (at_most q0 q1) as H. destruct (Qle_bool q0 q1), (Rle_dec (Q2R q0) (Q2R q1)); auto; lra.
    + pose proof (at_most q1 q0) as H.
      destruct (Qle_bool q1 q0), (Rlt_dec (Q2R q0) (Q2R q1)); simpl in E; auto; lra.
    + pose proof (equal q0 q1) as H. destruct (Qeq_bool q0 q1), (Req_EM_T (Q2R q0) (Q2R q1)); auto; contradiction.
Qed.

(** Two expressions with one value are one number. *)
Definition same_fraction (x y : expression) : bool :=
  match fraction x, fraction y with Some p, Some q => Qeq_bool p q | _, _ => false end.

Corollary same_fraction_same_number x y : same_fraction x y = true -> real x = real y.
Proof.
  unfold same_fraction. intros H.
  destruct (fraction x) as [p|] eqn:Ex; [|discriminate]. destruct (fraction y) as [q|] eqn:Ey; [|discriminate].
  rewrite (the_real_number_is_the_fraction _ _ Ex), (the_real_number_is_the_fraction _ _ Ey).
  apply Qeq_eqR, Qeq_bool_iff, H.
Qed.

(** ** Reading a term as an expression *)

Ltac read t :=
  lazymatch t with
  | IZR ?n => constr:(Given n)
  | ?x + ?y => let x := read x in let y := read y in constr:(Plus x y)
  | ?x - ?y => let x := read x in let y := read y in constr:(Minus x y)
  | ?x * ?y => let x := read x in let y := read y in constr:(Times x y)
  | ?x / ?y => let x := read x in let y := read y in constr:(Over x y)
  | / ?x => let x := read x in constr:(Over (Given 1) x)
  | - ?x => let x := read x in constr:(Negative x)
  | Rabs ?x => let x := read x in constr:(Absolute x)
  | match Rle_dec ?x ?y with left _ => ?p | right _ => ?q end =>
      let x := read x in let y := read y in let p := read p in let q := read q in constr:(If AtMost x y p q)
  | match Rlt_dec ?x ?y with left _ => ?p | right _ => ?q end =>
      let x := read x in let y := read y in let p := read p in let q := read q in constr:(If Below x y p q)
  | match Req_EM_T ?x ?y with left _ => ?p | right _ => ?q end =>
      let x := read x in let y := read y in let p := read p in let q := read q in constr:(If Equal x y p q)
  end.

(** An equation between numbers. *)
Ltac unfold_numbers := cbv -[Rplus Rmult Rminus Ropp Rinv Rdiv IZR Rabs Rle_dec Rlt_dec Req_EM_T].
Ltac evaluate :=
  unfold_numbers;
  match goal with |- ?t = ?u =>
    let x := read t in let y := read u in
    change (real x = real y); apply same_fraction_same_number; vm_compute; reflexivity
  end.

(** An equation between indices: the comparisons in it are decided one by one, inner ones first. *)
Ltac without_comparison x := lazymatch x with context [Rlt_dec] => fail | _ => idtac end.
Ltac unfold_indices := cbv -[Rplus Rmult Rminus Ropp Rinv Rdiv IZR Rlt_dec].
Ltac evaluate_index :=
  unfold_indices;
  repeat match goal with |- context [Rlt_dec ?x ?y] =>
    without_comparison x; without_comparison y;
    destruct (Rlt_dec x y); try (exfalso; lra); unfold_indices
  end;
  reflexivity.
