(** Written by generate.py from the conformance vectors: do not edit. *)

From LFP Require Import sums.Network pinned.Compute.

(** Group g of a rule. *)
Definition group_of (rho : rule) (g : nat) : group := nth g (groups rho) (Group [] 0 everywhere).

(** rules/gamma-dense: gamma, inputs of either sign *)
Definition rules_gamma_dense_rule := Gamma (1 / 4) (4722366482869645 / 4722366482869645213696).
Definition rules_gamma_dense_w := given [0; 0; 0; (1 / 4); (-7 / 8); 0; (-9 / 8); (15 / 8); 0; (-15 / 8); (-7 / 4); (-9 / 8); (-1); 0; (-1); (-2); (-15 / 8); (7 / 8); (15 / 8); (1 / 2)].
Definition rules_gamma_dense_b := given [(15 / 8); 0; (-3 / 4); (11 / 8)].
Definition rules_gamma_dense_x0 := given [(3 / 2); (5 / 8); 0; 0; (-3 / 4)].
Definition rules_gamma_dense_r0 := given [(-2); (-1); 0; (-7 / 4)].
Definition rules_gamma_dense_x1 := given [0; (-7 / 4); 0; (-11 / 8); (5 / 4)].
Definition rules_gamma_dense_r1 := given [0; 0; 0; 0].
Definition rules_gamma_dense_x2 := given [(5 / 8); (7 / 4); 0; 0; 2].
Definition rules_gamma_dense_r2 := given [(1 / 8); (11 / 8); (15 / 8); (1 / 4)].
Example rules_gamma_dense_0_0_z : pre_activation (dense 5 4) rules_gamma_dense_w rules_gamma_dense_b rules_gamma_dense_x0 0 = (81 / 32).
Proof. evaluate. Qed.
Example rules_gamma_dense_0_0_D0 : denominator (dense 5 4) rules_gamma_dense_w rules_gamma_dense_b rules_gamma_dense_x0 (group_of rules_gamma_dense_rule 0) 0 = (405 / 128).
Proof. evaluate. Qed.
Example rules_gamma_dense_0_0_s0 : per_unit (dense 5 4) rules_gamma_dense_w rules_gamma_dense_b rules_gamma_dense_rule rules_gamma_dense_x0 rules_gamma_dense_r0 (group_of rules_gamma_dense_rule 0) 0 = (-9444732965739290427392 / 14941867422071219678605).
Proof. unfold per_unit, part. rewrite rules_gamma_dense_0_0_D0, rules_gamma_dense_0_0_z. evaluate. Qed.
Example rules_gamma_dense_0_0_D1 : denominator (dense 5 4) rules_gamma_dense_w rules_gamma_dense_b rules_gamma_dense_x0 (group_of rules_gamma_dense_rule 1) 0 = (81 / 32).
Proof. evaluate. Qed.
Example rules_gamma_dense_0_0_s1 : per_unit (dense 5 4) rules_gamma_dense_w rules_gamma_dense_b rules_gamma_dense_rule rules_gamma_dense_x0 rules_gamma_dense_r0 (group_of rules_gamma_dense_rule 1) 0 = 0.
Proof. unfold per_unit, part. rewrite rules_gamma_dense_0_0_D1, rules_gamma_dense_0_0_z. evaluate. Qed.
Example rules_gamma_dense_2_2_z : pre_activation (dense 5 4) rules_gamma_dense_w rules_gamma_dense_b rules_gamma_dense_x2 2 = (-93 / 16).
Proof. evaluate. Qed.
Example rules_gamma_dense_2_2_D0 : denominator (dense 5 4) rules_gamma_dense_w rules_gamma_dense_b rules_gamma_dense_x2 (group_of rules_gamma_dense_rule 0) 2 = (-93 / 16).
Proof. evaluate. Qed.
Example rules_gamma_dense_2_2_s0 : per_unit (dense 5 4) rules_gamma_dense_w rules_gamma_dense_b rules_gamma_dense_rule rules_gamma_dense_x2 rules_gamma_dense_r2 (group_of rules_gamma_dense_rule 0) 2 = 0.
Proof. unfold per_unit, part. rewrite rules_gamma_dense_2_2_D0, rules_gamma_dense_2_2_z. evaluate. Qed.
Example rules_gamma_dense_2_2_D1 : denominator (dense 5 4) rules_gamma_dense_w rules_gamma_dense_b rules_gamma_dense_x2 (group_of rules_gamma_dense_rule 1) 2 = (-465 / 64).
Proof. evaluate. Qed.
Example rules_gamma_dense_2_2_s1 : per_unit (dense 5 4) rules_gamma_dense_w rules_gamma_dense_b rules_gamma_dense_rule rules_gamma_dense_x2 rules_gamma_dense_r2 (group_of rules_gamma_dense_rule 1) 2 = (-1770887431076116955136 / 6862189739893249775081).
Proof. unfold per_unit, part. rewrite rules_gamma_dense_2_2_D1, rules_gamma_dense_2_2_z. evaluate. Qed.

(** rules/alpha-beta-dense: alpha-beta, inputs of either sign *)
Definition rules_alpha_beta_dense_rule := AlphaBeta 2 1 (4722366482869645 / 4722366482869645213696).
Definition rules_alpha_beta_dense_w := given [(-7 / 8); (13 / 8); 0; (3 / 2); (-3 / 2); (-5 / 4); (-15 / 8); (15 / 8); (7 / 4); (-15 / 8); 0; (-1 / 8); 0; (-15 / 8); (7 / 4); (7 / 8); (5 / 4); (-13 / 8); (-3 / 4); 0].
Definition rules_alpha_beta_dense_b := given [(-13 / 8); (-5 / 8); (7 / 4); (-13 / 8)].
Definition rules_alpha_beta_dense_x0 := given [(11 / 8); (-1); (-13 / 8); 0; (-3 / 8)].
Definition rules_alpha_beta_dense_r0 := given [(7 / 4); 0; 0; (-1 / 2)].
Definition rules_alpha_beta_dense_x1 := given [(5 / 4); (-1 / 4); (-13 / 8); (-5 / 8); (3 / 8)].
Definition rules_alpha_beta_dense_r1 := given [0; (1 / 2); (3 / 4); 0].
Definition rules_alpha_beta_dense_x2 := given [(5 / 4); 0; 2; (-5 / 4); (13 / 8)].
Definition rules_alpha_beta_dense_r2 := given [(1 / 8); (-11 / 8); (-11 / 8); 0].
Example rules_alpha_beta_dense_2_2_z : pre_activation (dense 5 4) rules_alpha_beta_dense_w rules_alpha_beta_dense_b rules_alpha_beta_dense_x2 2 = (111 / 16).
Proof. evaluate. Qed.
Example rules_alpha_beta_dense_2_2_D0 : denominator (dense 5 4) rules_alpha_beta_dense_w rules_alpha_beta_dense_b rules_alpha_beta_dense_x2 (group_of rules_alpha_beta_dense_rule 0) 2 = (111 / 16).
Proof. evaluate. Qed.
Example rules_alpha_beta_dense_2_2_s0 : per_unit (dense 5 4) rules_alpha_beta_dense_w rules_alpha_beta_dense_b rules_alpha_beta_dense_rule rules_alpha_beta_dense_x2 rules_alpha_beta_dense_r2 (group_of rules_alpha_beta_dense_rule 0) 2 = (-12986507827891524337664 / 32761422197274646539661).
Proof. unfold per_unit, part. rewrite rules_alpha_beta_dense_2_2_D0, rules_alpha_beta_dense_2_2_z. evaluate. Qed.
Example rules_alpha_beta_dense_2_2_D1 : denominator (dense 5 4) rules_alpha_beta_dense_w rules_alpha_beta_dense_b rules_alpha_beta_dense_x2 (group_of rules_alpha_beta_dense_rule 1) 2 = 0.
Proof. evaluate. Qed.
Example rules_alpha_beta_dense_2_2_s1 : per_unit (dense 5 4) rules_alpha_beta_dense_w rules_alpha_beta_dense_b rules_alpha_beta_dense_rule rules_alpha_beta_dense_x2 rules_alpha_beta_dense_r2 (group_of rules_alpha_beta_dense_rule 1) 2 = (6493253913945762168832 / 4722366482869645).
Proof. unfold per_unit, part. rewrite rules_alpha_beta_dense_2_2_D1, rules_alpha_beta_dense_2_2_z. evaluate. Qed.
Example rules_alpha_beta_dense_2_0_z : pre_activation (dense 5 4) rules_alpha_beta_dense_w rules_alpha_beta_dense_b rules_alpha_beta_dense_x2 0 = (-225 / 32).
Proof. evaluate. Qed.
Example rules_alpha_beta_dense_2_0_D0 : denominator (dense 5 4) rules_alpha_beta_dense_w rules_alpha_beta_dense_b rules_alpha_beta_dense_x2 (group_of rules_alpha_beta_dense_rule 0) 0 = 0.
Proof. evaluate. Qed.
Example rules_alpha_beta_dense_2_0_s0 : per_unit (dense 5 4) rules_alpha_beta_dense_w rules_alpha_beta_dense_b rules_alpha_beta_dense_rule rules_alpha_beta_dense_x2 rules_alpha_beta_dense_r2 (group_of rules_alpha_beta_dense_rule 0) 0 = (1180591620717411303424 / 4722366482869645).
Proof. unfold per_unit, part. rewrite rules_alpha_beta_dense_2_0_D0, rules_alpha_beta_dense_2_0_z. evaluate. Qed.
Example rules_alpha_beta_dense_2_0_D1 : denominator (dense 5 4) rules_alpha_beta_dense_w rules_alpha_beta_dense_b rules_alpha_beta_dense_x2 (group_of rules_alpha_beta_dense_rule 1) 0 = (-225 / 32).
Proof. evaluate. Qed.
Example rules_alpha_beta_dense_2_0_s1 : per_unit (dense 5 4) rules_alpha_beta_dense_w rules_alpha_beta_dense_b rules_alpha_beta_dense_rule rules_alpha_beta_dense_x2 rules_alpha_beta_dense_r2 (group_of rules_alpha_beta_dense_rule 1) 0 = (590295810358705651712 / 33204144055043675778445).
Proof. unfold per_unit, part. rewrite rules_alpha_beta_dense_2_0_D1, rules_alpha_beta_dense_2_0_z. evaluate. Qed.

(** rules/alpha-beta-3-2-dense: alpha-beta-3-2, inputs of either sign *)
Definition rules_alpha_beta_3_2_dense_rule := AlphaBeta 3 2 (4722366482869645 / 4722366482869645213696).
Definition rules_alpha_beta_3_2_dense_w := given [2; (-1); (3 / 8); (-3 / 8); 0; (-5 / 8); (-3 / 2); (-1 / 4); (11 / 8); (1 / 8); (1 / 4); (13 / 8); (-11 / 8); (-3 / 4); (1 / 4); (1 / 8); (3 / 2); 1; 0; (1 / 2)].
Definition rules_alpha_beta_3_2_dense_b := given [(1 / 2); (11 / 8); (5 / 8); (-5 / 8)].
Definition rules_alpha_beta_3_2_dense_x0 := given [(5 / 4); 0; (-11 / 8); (-9 / 8); (-11 / 8)].
Definition rules_alpha_beta_3_2_dense_r0 := given [(1 / 8); (-1 / 4); 0; (-3 / 4)].
Definition rules_alpha_beta_3_2_dense_x1 := given [(5 / 4); (3 / 2); (3 / 8); (-15 / 8); (-13 / 8)].
Definition rules_alpha_beta_3_2_dense_r1 := given [0; (5 / 8); (-2); (-1 / 2)].
Definition rules_alpha_beta_3_2_dense_x2 := given [(-3 / 4); (-1 / 4); 0; (-1 / 8); (-1)].
Definition rules_alpha_beta_3_2_dense_r2 := given [(-5 / 8); (-11 / 8); (1 / 4); (-11 / 8)].
Example rules_alpha_beta_3_2_dense_1_2_z : pre_activation (dense 5 4) rules_alpha_beta_3_2_dense_w rules_alpha_beta_3_2_dense_b rules_alpha_beta_3_2_dense_x1 2 = (247 / 64).
Proof. evaluate. Qed.
Example rules_alpha_beta_3_2_dense_1_2_D0 : denominator (dense 5 4) rules_alpha_beta_3_2_dense_w rules_alpha_beta_3_2_dense_b rules_alpha_beta_3_2_dense_x1 (group_of rules_alpha_beta_3_2_dense_rule 0) 2 = (153 / 32).
Proof. evaluate. Qed.
Example rules_alpha_beta_3_2_dense_1_2_s0 : per_unit (dense 5 4) rules_alpha_beta_3_2_dense_w rules_alpha_beta_3_2_dense_b rules_alpha_beta_3_2_dense_rule rules_alpha_beta_3_2_dense_x1 rules_alpha_beta_3_2_dense_r1 (group_of rules_alpha_beta_3_2_dense_rule 0) 2 = (-28334198897217871282176 / 22578819468586974047629).
Proof. unfold per_unit, part. rewrite rules_alpha_beta_3_2_dense_1_2_D0, rules_alpha_beta_3_2_dense_1_2_z. evaluate. Qed.
Example rules_alpha_beta_3_2_dense_1_2_D1 : denominator (dense 5 4) rules_alpha_beta_3_2_dense_w rules_alpha_beta_3_2_dense_b rules_alpha_beta_3_2_dense_x1 (group_of rules_alpha_beta_3_2_dense_rule 1) 2 = (-59 / 64).
Proof. evaluate. Qed.
Example rules_alpha_beta_3_2_dense_1_2_s1 : per_unit (dense 5 4) rules_alpha_beta_3_2_dense_w rules_alpha_beta_3_2_dense_b rules_alpha_beta_3_2_dense_rule rules_alpha_beta_3_2_dense_x1 rules_alpha_beta_3_2_dense_r1 (group_of rules_alpha_beta_3_2_dense_rule 1) 2 = (-18889465931478580854784 / 4353436323761937051021).
Proof. unfold per_unit, part. rewrite rules_alpha_beta_3_2_dense_1_2_D1, rules_alpha_beta_3_2_dense_1_2_z. evaluate. Qed.
Example rules_alpha_beta_3_2_dense_1_1_z : pre_activation (dense 5 4) rules_alpha_beta_3_2_dense_w rules_alpha_beta_3_2_dense_b rules_alpha_beta_3_2_dense_x1 1 = (-145 / 32).
Proof. evaluate. Qed.
Example rules_alpha_beta_3_2_dense_1_1_D0 : denominator (dense 5 4) rules_alpha_beta_3_2_dense_w rules_alpha_beta_3_2_dense_b rules_alpha_beta_3_2_dense_x1 (group_of rules_alpha_beta_3_2_dense_rule 0) 1 = (11 / 8).
Proof. evaluate. Qed.
Example rules_alpha_beta_3_2_dense_1_1_s0 : per_unit (dense 5 4) rules_alpha_beta_3_2_dense_w rules_alpha_beta_3_2_dense_b rules_alpha_beta_3_2_dense_rule rules_alpha_beta_3_2_dense_x1 rules_alpha_beta_3_2_dense_r1 (group_of rules_alpha_beta_3_2_dense_rule 0) 1 = (8854437155380584775680 / 6493258636312245038477).
Proof. unfold per_unit, part. rewrite rules_alpha_beta_3_2_dense_1_1_D0, rules_alpha_beta_3_2_dense_1_1_z. evaluate. Qed.
Example rules_alpha_beta_3_2_dense_1_1_D1 : denominator (dense 5 4) rules_alpha_beta_3_2_dense_w rules_alpha_beta_3_2_dense_b rules_alpha_beta_3_2_dense_x1 (group_of rules_alpha_beta_3_2_dense_rule 1) 1 = (-189 / 32).
Proof. evaluate. Qed.
Example rules_alpha_beta_3_2_dense_1_1_s1 : per_unit (dense 5 4) rules_alpha_beta_3_2_dense_w rules_alpha_beta_3_2_dense_b rules_alpha_beta_3_2_dense_rule rules_alpha_beta_3_2_dense_x1 rules_alpha_beta_3_2_dense_r1 (group_of rules_alpha_beta_3_2_dense_rule 1) 1 = (5902958103587056517120 / 27891481761815324913037).
Proof. unfold per_unit, part. rewrite rules_alpha_beta_3_2_dense_1_1_D1, rules_alpha_beta_3_2_dense_1_1_z. evaluate. Qed.

(** rules/z-plus-dense: z-plus, inputs of either sign *)
Definition rules_z_plus_dense_rule := ZPlus (4722366482869645 / 4722366482869645213696).
Definition rules_z_plus_dense_w := given [0; 2; (-15 / 8); (-1 / 4); (11 / 8); (-3 / 2); (1 / 8); (-7 / 4); (-5 / 4); 1; (-13 / 8); 0; (9 / 8); 0; 0; (-1 / 4); 2; (1 / 8); (1 / 2); 1].
Definition rules_z_plus_dense_b := given [(-7 / 8); 0; (11 / 8); (-15 / 8)].
Definition rules_z_plus_dense_x0 := given [(7 / 8); (15 / 8); (13 / 8); 0; (15 / 8)].
Definition rules_z_plus_dense_r0 := given [(-9 / 8); (-9 / 8); (3 / 4); (-1 / 8)].
Definition rules_z_plus_dense_x1 := given [2; 2; (-7 / 4); (-1 / 4); (1 / 2)].
Definition rules_z_plus_dense_r1 := given [(-5 / 8); (3 / 4); (-2); (-1 / 8)].
Definition rules_z_plus_dense_x2 := given [0; (-1 / 2); (1 / 2); (5 / 4); (3 / 8)].
Definition rules_z_plus_dense_r2 := given [(-9 / 8); (-1 / 4); (-2); (3 / 2)].
Example rules_z_plus_dense_1_0_z : pre_activation (dense 5 4) rules_z_plus_dense_w rules_z_plus_dense_b rules_z_plus_dense_x1 0 = (229 / 32).
Proof. evaluate. Qed.
Example rules_z_plus_dense_1_0_D0 : denominator (dense 5 4) rules_z_plus_dense_w rules_z_plus_dense_b rules_z_plus_dense_x1 (group_of rules_z_plus_dense_rule 0) 0 = (257 / 32).
Proof. evaluate. Qed.
Example rules_z_plus_dense_1_0_s0 : per_unit (dense 5 4) rules_z_plus_dense_w rules_z_plus_dense_b rules_z_plus_dense_rule rules_z_plus_dense_x1 rules_z_plus_dense_r1 (group_of rules_z_plus_dense_rule 0) 0 = (-2951479051793528258560 / 37926510537913320992141).
Proof. unfold per_unit, part. rewrite rules_z_plus_dense_1_0_D0, rules_z_plus_dense_1_0_z. evaluate. Qed.
Example rules_z_plus_dense_1_2_z : pre_activation (dense 5 4) rules_z_plus_dense_w rules_z_plus_dense_b rules_z_plus_dense_x1 2 = (-123 / 32).
Proof. evaluate. Qed.
Example rules_z_plus_dense_1_2_D0 : denominator (dense 5 4) rules_z_plus_dense_w rules_z_plus_dense_b rules_z_plus_dense_x1 (group_of rules_z_plus_dense_rule 0) 2 = (11 / 8).
Proof. evaluate. Qed.
Example rules_z_plus_dense_1_2_s0 : per_unit (dense 5 4) rules_z_plus_dense_w rules_z_plus_dense_b rules_z_plus_dense_rule rules_z_plus_dense_x1 rules_z_plus_dense_r1 (group_of rules_z_plus_dense_rule 0) 2 = (-9444732965739290427392 / 6493258636312245038477).
Proof. unfold per_unit, part. rewrite rules_z_plus_dense_1_2_D0, rules_z_plus_dense_1_2_z. evaluate. Qed.

(** rules/w-square-dense: w-square, inputs of either sign *)
Definition rules_w_square_dense_rule := WSquare (4722366482869645 / 4722366482869645213696).
Definition rules_w_square_dense_w := given [(-3 / 2); (9 / 8); (9 / 8); 0; (3 / 2); (3 / 4); (11 / 8); (5 / 4); (5 / 4); (1 / 8); (1 / 4); 0; (3 / 8); (-5 / 4); (13 / 8); (-7 / 4); (-7 / 8); (-1 / 8); (-15 / 8); 2].
Definition rules_w_square_dense_b := given [0; (5 / 4); (-1 / 2); 0].
Definition rules_w_square_dense_x0 := given [0; (5 / 4); (-2); (5 / 4); (-1 / 8)].
Definition rules_w_square_dense_r0 := given [(-5 / 8); (-1 / 8); (1 / 2); (-2)].
Definition rules_w_square_dense_x1 := given [(1 / 8); (1 / 2); (-7 / 8); 2; (-15 / 8)].
Definition rules_w_square_dense_r1 := given [(9 / 8); (-5 / 8); (9 / 8); (11 / 8)].
Definition rules_w_square_dense_x2 := given [(-7 / 8); 0; (1 / 4); (-3 / 8); (-3 / 2)].
Definition rules_w_square_dense_r2 := given [0; (-11 / 8); (3 / 2); (7 / 8)].
Example rules_w_square_dense_1_1_z : pre_activation (dense 5 4) rules_w_square_dense_w rules_w_square_dense_b rules_w_square_dense_x1 1 = (205 / 64).
Proof. evaluate. Qed.
Example rules_w_square_dense_1_1_D0 : denominator (dense 5 4) rules_w_square_dense_w rules_w_square_dense_b rules_w_square_dense_x1 (group_of rules_w_square_dense_rule 0) 1 = (229 / 32).
Proof. evaluate. Qed.
Example rules_w_square_dense_1_1_s0 : per_unit (dense 5 4) rules_w_square_dense_w rules_w_square_dense_b rules_w_square_dense_rule rules_w_square_dense_x1 rules_w_square_dense_r1 (group_of rules_w_square_dense_rule 0) 1 = (-2951479051793528258560 / 33794439865402381430157).
Proof. unfold per_unit, part. rewrite rules_w_square_dense_1_1_D0, rules_w_square_dense_1_1_z. evaluate. Qed.
Example rules_w_square_dense_1_3_z : pre_activation (dense 5 4) rules_w_square_dense_w rules_w_square_dense_b rules_w_square_dense_x1 3 = (-515 / 64).
Proof. evaluate. Qed.
Example rules_w_square_dense_1_3_D0 : denominator (dense 5 4) rules_w_square_dense_w rules_w_square_dense_b rules_w_square_dense_x1 (group_of rules_w_square_dense_rule 0) 3 = (727 / 64).
Proof. evaluate. Qed.
Example rules_w_square_dense_1_3_s0 : per_unit (dense 5 4) rules_w_square_dense_w rules_w_square_dense_b rules_w_square_dense_rule rules_w_square_dense_x1 rules_w_square_dense_r1 (group_of rules_w_square_dense_rule 0) 3 = (6493253913945762168832 / 53643136488713858968973).
Proof. unfold per_unit, part. rewrite rules_w_square_dense_1_3_D0, rules_w_square_dense_1_3_z. evaluate. Qed.

(** rules/flat-dense: flat, inputs of either sign *)
Definition rules_flat_dense_rule := Flat (4722366482869645 / 4722366482869645213696).
Definition rules_flat_dense_w := given [(-7 / 4); 0; (13 / 8); (1 / 2); (-3 / 4); 0; 2; (3 / 8); (7 / 8); (-1 / 4); 0; (13 / 8); (5 / 8); (5 / 8); (7 / 8); (3 / 2); (-1 / 2); 0; 0; (-15 / 8)].
Definition rules_flat_dense_b := given [(-1 / 8); 2; (-7 / 4); (-1 / 4)].
Definition rules_flat_dense_x0 := given [(-1 / 4); 0; 0; (-5 / 8); 0].
Definition rules_flat_dense_r0 := given [(-2); (-7 / 4); (-1 / 2); 0].
Definition rules_flat_dense_x1 := given [(-1 / 2); (5 / 8); (-1 / 2); 0; 2].
Definition rules_flat_dense_r1 := given [(-13 / 8); (-5 / 4); (-11 / 8); 0].
Definition rules_flat_dense_x2 := given [(-5 / 4); (1 / 2); (-1 / 4); 0; 0].
Definition rules_flat_dense_r2 := given [(1 / 4); 2; (-7 / 4); (3 / 4)].
Example rules_flat_dense_2_1_z : pre_activation (dense 5 4) rules_flat_dense_w rules_flat_dense_b rules_flat_dense_x2 1 = (93 / 32).
Proof. evaluate. Qed.
Example rules_flat_dense_2_1_D0 : denominator (dense 5 4) rules_flat_dense_w rules_flat_dense_b rules_flat_dense_x2 (group_of rules_flat_dense_rule 0) 1 = 5.
Proof. evaluate. Qed.
Example rules_flat_dense_2_1_s0 : per_unit (dense 5 4) rules_flat_dense_w rules_flat_dense_b rules_flat_dense_rule rules_flat_dense_x2 rules_flat_dense_r2 (group_of rules_flat_dense_rule 0) 1 = (9444732965739290427392 / 23611837136714708938125).
Proof. unfold per_unit, part. rewrite rules_flat_dense_2_1_D0, rules_flat_dense_2_1_z. evaluate. Qed.
Example rules_flat_dense_2_3_z : pre_activation (dense 5 4) rules_flat_dense_w rules_flat_dense_b rules_flat_dense_x2 3 = (-19 / 8).
Proof. evaluate. Qed.
Example rules_flat_dense_2_3_D0 : denominator (dense 5 4) rules_flat_dense_w rules_flat_dense_b rules_flat_dense_x2 (group_of rules_flat_dense_rule 0) 3 = 5.
Proof. evaluate. Qed.
Example rules_flat_dense_2_3_s0 : per_unit (dense 5 4) rules_flat_dense_w rules_flat_dense_b rules_flat_dense_rule rules_flat_dense_x2 rules_flat_dense_r2 (group_of rules_flat_dense_rule 0) 3 = (1180591620717411303424 / 7870612378904902979375).
Proof. unfold per_unit, part. rewrite rules_flat_dense_2_3_D0, rules_flat_dense_2_3_z. evaluate. Qed.

(** rules/z-box-dense: z-box, inputs of either sign *)
Definition rules_z_box_dense_rule := ZBox (fun _ => (-2)) (fun _ => 2) (4722366482869645 / 4722366482869645213696).
Definition rules_z_box_dense_w := given [(3 / 2); 0; (3 / 2); (-13 / 8); (-1); (-5 / 4); (-9 / 8); (-11 / 8); (1 / 8); (-1 / 4); (3 / 8); 0; 0; 2; 0; 0; (-9 / 8); 0; (-3 / 8); 0].
Definition rules_z_box_dense_b := given [0; (1 / 8); (-7 / 8); (-13 / 8)].
Definition rules_z_box_dense_x0 := given [(15 / 8); (1 / 2); (3 / 4); (13 / 8); (3 / 8)].
Definition rules_z_box_dense_r0 := given [(3 / 8); (3 / 8); (-1 / 4); 0].
Definition rules_z_box_dense_x1 := given [(9 / 8); (11 / 8); (-9 / 8); (-15 / 8); (-7 / 8)].
Definition rules_z_box_dense_r1 := given [(-1 / 2); (11 / 8); 0; (-1 / 8)].
Definition rules_z_box_dense_x2 := given [(-7 / 8); (3 / 2); (7 / 4); 0; 0].
Definition rules_z_box_dense_r2 := given [(-3 / 2); 0; 0; (7 / 8)].
Example rules_z_box_dense_1_0_z : pre_activation (dense 5 4) rules_z_box_dense_w rules_z_box_dense_b rules_z_box_dense_x1 0 = (251 / 64).
Proof. evaluate. Qed.
Example rules_z_box_dense_1_0_D0 : denominator (dense 5 4) rules_z_box_dense_w rules_z_box_dense_b rules_z_box_dense_x1 (group_of rules_z_box_dense_rule 0) 0 = (971 / 64).
Proof. evaluate. Qed.
Example rules_z_box_dense_1_0_s0 : per_unit (dense 5 4) rules_z_box_dense_w rules_z_box_dense_b rules_z_box_dense_rule rules_z_box_dense_x1 rules_z_box_dense_r1 (group_of rules_z_box_dense_rule 0) 0 = (-2361183241434822606848 / 71647158704654381346189).
Proof. unfold per_unit, part. rewrite rules_z_box_dense_1_0_D0, rules_z_box_dense_1_0_z. evaluate. Qed.
Example rules_z_box_dense_0_1_z : pre_activation (dense 5 4) rules_z_box_dense_w rules_z_box_dense_b rules_z_box_dense_x0 1 = (-237 / 64).
Proof. evaluate. Qed.
Example rules_z_box_dense_0_1_D0 : denominator (dense 5 4) rules_z_box_dense_w rules_z_box_dense_b rules_z_box_dense_x0 (group_of rules_z_box_dense_rule 0) 1 = (283 / 64).
Proof. evaluate. Qed.
Example rules_z_box_dense_0_1_s0 : per_unit (dense 5 4) rules_z_box_dense_w rules_z_box_dense_b rules_z_box_dense_rule rules_z_box_dense_x0 rules_z_box_dense_r0 (group_of rules_z_box_dense_rule 0) 1 = (1770887431076116955136 / 20881719013805695298957).
Proof. unfold per_unit, part. rewrite rules_z_box_dense_0_1_D0, rules_z_box_dense_0_1_z. evaluate. Qed.

(** rules/gamma-epsilon: gamma with a stabiliser of its own *)
Definition rules_gamma_epsilon_rule := Gamma (1 / 4) (1 / 4).
Definition rules_gamma_epsilon_w := given [0; 0; 0; (-11 / 8); (5 / 8); (-9 / 8); (-1 / 4); 0; (-11 / 8); (-5 / 8); (-13 / 8); (7 / 4)].
Definition rules_gamma_epsilon_b := given [2; 0; (-11 / 8)].
Definition rules_gamma_epsilon_x0 := given [(9 / 8); (-1 / 2); (5 / 8); (-5 / 4)].
Definition rules_gamma_epsilon_r0 := given [(13 / 8); (-9 / 8); (1 / 2)].
Definition rules_gamma_epsilon_x1 := given [0; (-7 / 4); (-1); 0].
Definition rules_gamma_epsilon_r1 := given [(11 / 8); (7 / 8); (-11 / 8)].
Example rules_gamma_epsilon_0_0_z : pre_activation (dense 4 3) rules_gamma_epsilon_w rules_gamma_epsilon_b rules_gamma_epsilon_x0 0 = (119 / 32).
Proof. evaluate. Qed.
Example rules_gamma_epsilon_0_0_D0 : denominator (dense 4 3) rules_gamma_epsilon_w rules_gamma_epsilon_b rules_gamma_epsilon_x0 (group_of rules_gamma_epsilon_rule 0) 0 = (595 / 128).
Proof. evaluate. Qed.
Example rules_gamma_epsilon_0_0_s0 : per_unit (dense 4 3) rules_gamma_epsilon_w rules_gamma_epsilon_b rules_gamma_epsilon_rule rules_gamma_epsilon_x0 rules_gamma_epsilon_r0 (group_of rules_gamma_epsilon_rule 0) 0 = (208 / 627).
Proof. unfold per_unit, part. rewrite rules_gamma_epsilon_0_0_D0, rules_gamma_epsilon_0_0_z. evaluate. Qed.
Example rules_gamma_epsilon_0_0_D1 : denominator (dense 4 3) rules_gamma_epsilon_w rules_gamma_epsilon_b rules_gamma_epsilon_x0 (group_of rules_gamma_epsilon_rule 1) 0 = (119 / 32).
Proof. evaluate. Qed.
Example rules_gamma_epsilon_0_0_s1 : per_unit (dense 4 3) rules_gamma_epsilon_w rules_gamma_epsilon_b rules_gamma_epsilon_rule rules_gamma_epsilon_x0 rules_gamma_epsilon_r0 (group_of rules_gamma_epsilon_rule 1) 0 = 0.
Proof. unfold per_unit, part. rewrite rules_gamma_epsilon_0_0_D1, rules_gamma_epsilon_0_0_z. evaluate. Qed.
Example rules_gamma_epsilon_0_2_z : pre_activation (dense 4 3) rules_gamma_epsilon_w rules_gamma_epsilon_b rules_gamma_epsilon_x0 2 = (-93 / 16).
Proof. evaluate. Qed.
Example rules_gamma_epsilon_0_2_D0 : denominator (dense 4 3) rules_gamma_epsilon_w rules_gamma_epsilon_b rules_gamma_epsilon_x0 (group_of rules_gamma_epsilon_rule 0) 2 = (-367 / 64).
Proof. evaluate. Qed.
Example rules_gamma_epsilon_0_2_s0 : per_unit (dense 4 3) rules_gamma_epsilon_w rules_gamma_epsilon_b rules_gamma_epsilon_rule rules_gamma_epsilon_x0 rules_gamma_epsilon_r0 (group_of rules_gamma_epsilon_rule 0) 2 = 0.
Proof. unfold per_unit, part. rewrite rules_gamma_epsilon_0_2_D0, rules_gamma_epsilon_0_2_z. evaluate. Qed.
Example rules_gamma_epsilon_0_2_D1 : denominator (dense 4 3) rules_gamma_epsilon_w rules_gamma_epsilon_b rules_gamma_epsilon_x0 (group_of rules_gamma_epsilon_rule 1) 2 = (-235 / 32).
Proof. evaluate. Qed.
Example rules_gamma_epsilon_0_2_s1 : per_unit (dense 4 3) rules_gamma_epsilon_w rules_gamma_epsilon_b rules_gamma_epsilon_rule rules_gamma_epsilon_x0 rules_gamma_epsilon_r0 (group_of rules_gamma_epsilon_rule 1) 2 = (-16 / 243).
Proof. unfold per_unit, part. rewrite rules_gamma_epsilon_0_2_D1, rules_gamma_epsilon_0_2_z. evaluate. Qed.

(** rules/gamma-z-zero: an output at exactly 0 is in neither group *)
Definition rules_gamma_z_zero_rule := Gamma (1 / 4) (4722366482869645 / 4722366482869645213696).
Definition rules_gamma_z_zero_w := given [1; (-1); 2; 1; (-1); 0].
Definition rules_gamma_z_zero_b := given [0; 0; 0].
Definition rules_gamma_z_zero_x0 := given [1; 1].
Definition rules_gamma_z_zero_r0 := given [1; 1; 1].
Example rules_gamma_z_zero_0_0_z : pre_activation (dense 2 3) rules_gamma_z_zero_w rules_gamma_z_zero_b rules_gamma_z_zero_x0 0 = 0.
Proof. evaluate. Qed.
Example rules_gamma_z_zero_0_0_D0 : denominator (dense 2 3) rules_gamma_z_zero_w rules_gamma_z_zero_b rules_gamma_z_zero_x0 (group_of rules_gamma_z_zero_rule 0) 0 = (1 / 4).
Proof. evaluate. Qed.
Example rules_gamma_z_zero_0_0_s0 : per_unit (dense 2 3) rules_gamma_z_zero_w rules_gamma_z_zero_b rules_gamma_z_zero_rule rules_gamma_z_zero_x0 rules_gamma_z_zero_r0 (group_of rules_gamma_z_zero_rule 0) 0 = 0.
Proof. unfold per_unit, part. rewrite rules_gamma_z_zero_0_0_D0, rules_gamma_z_zero_0_0_z. evaluate. Qed.
Example rules_gamma_z_zero_0_0_D1 : denominator (dense 2 3) rules_gamma_z_zero_w rules_gamma_z_zero_b rules_gamma_z_zero_x0 (group_of rules_gamma_z_zero_rule 1) 0 = (-1 / 4).
Proof. evaluate. Qed.
Example rules_gamma_z_zero_0_0_s1 : per_unit (dense 2 3) rules_gamma_z_zero_w rules_gamma_z_zero_b rules_gamma_z_zero_rule rules_gamma_z_zero_x0 rules_gamma_z_zero_r0 (group_of rules_gamma_z_zero_rule 1) 0 = 0.
Proof. unfold per_unit, part. rewrite rules_gamma_z_zero_0_0_D1, rules_gamma_z_zero_0_0_z. evaluate. Qed.

(** rules/alpha-beta-empty-group: every contribution is positive *)
Definition rules_alpha_beta_empty_group_rule := AlphaBeta 2 1 (4722366482869645 / 4722366482869645213696).
Definition rules_alpha_beta_empty_group_w := given [1; (1 / 4); (1 / 2); 2].
Definition rules_alpha_beta_empty_group_b := given [(1 / 2); 0].
Definition rules_alpha_beta_empty_group_x0 := given [1; (1 / 2)].
Definition rules_alpha_beta_empty_group_r0 := given [1; (-1)].
Definition rules_alpha_beta_empty_group_x1 := given [2; 0].
Definition rules_alpha_beta_empty_group_r1 := given [(1 / 2); 2].
Example rules_alpha_beta_empty_group_0_0_z : pre_activation (dense 2 2) rules_alpha_beta_empty_group_w rules_alpha_beta_empty_group_b rules_alpha_beta_empty_group_x0 0 = (13 / 8).
Proof. evaluate. Qed.
Example rules_alpha_beta_empty_group_0_0_D0 : denominator (dense 2 2) rules_alpha_beta_empty_group_w rules_alpha_beta_empty_group_b rules_alpha_beta_empty_group_x0 (group_of rules_alpha_beta_empty_group_rule 0) 0 = (13 / 8).
Proof. evaluate. Qed.
Example rules_alpha_beta_empty_group_0_0_s0 : per_unit (dense 2 2) rules_alpha_beta_empty_group_w rules_alpha_beta_empty_group_b rules_alpha_beta_empty_group_rule rules_alpha_beta_empty_group_x0 rules_alpha_beta_empty_group_r0 (group_of rules_alpha_beta_empty_group_rule 0) 0 = (9444732965739290427392 / 7673850257029656341901).
Proof. unfold per_unit, part. rewrite rules_alpha_beta_empty_group_0_0_D0, rules_alpha_beta_empty_group_0_0_z. evaluate. Qed.
Example rules_alpha_beta_empty_group_0_0_D1 : denominator (dense 2 2) rules_alpha_beta_empty_group_w rules_alpha_beta_empty_group_b rules_alpha_beta_empty_group_x0 (group_of rules_alpha_beta_empty_group_rule 1) 0 = 0.
Proof. evaluate. Qed.
Example rules_alpha_beta_empty_group_0_0_s1 : per_unit (dense 2 2) rules_alpha_beta_empty_group_w rules_alpha_beta_empty_group_b rules_alpha_beta_empty_group_rule rules_alpha_beta_empty_group_x0 rules_alpha_beta_empty_group_r0 (group_of rules_alpha_beta_empty_group_rule 1) 0 = (-4722366482869645213696 / 4722366482869645).
Proof. unfold per_unit, part. rewrite rules_alpha_beta_empty_group_0_0_D1, rules_alpha_beta_empty_group_0_0_z. evaluate. Qed.

(** rules/z-plus-empty-group: no contribution is positive: nothing is handed on *)
Definition rules_z_plus_empty_group_rule := ZPlus (4722366482869645 / 4722366482869645213696).
Definition rules_z_plus_empty_group_w := given [(-1); (-1 / 4); (-1 / 2); (-2)].
Definition rules_z_plus_empty_group_b := given [(-1 / 2); 0].
Definition rules_z_plus_empty_group_x0 := given [1; (1 / 2)].
Definition rules_z_plus_empty_group_r0 := given [1; (-1)].
Definition rules_z_plus_empty_group_x1 := given [2; 0].
Definition rules_z_plus_empty_group_r1 := given [(1 / 2); 2].
Example rules_z_plus_empty_group_0_0_z : pre_activation (dense 2 2) rules_z_plus_empty_group_w rules_z_plus_empty_group_b rules_z_plus_empty_group_x0 0 = (-13 / 8).
Proof. evaluate. Qed.
Example rules_z_plus_empty_group_0_0_D0 : denominator (dense 2 2) rules_z_plus_empty_group_w rules_z_plus_empty_group_b rules_z_plus_empty_group_x0 (group_of rules_z_plus_empty_group_rule 0) 0 = 0.
Proof. evaluate. Qed.
Example rules_z_plus_empty_group_0_0_s0 : per_unit (dense 2 2) rules_z_plus_empty_group_w rules_z_plus_empty_group_b rules_z_plus_empty_group_rule rules_z_plus_empty_group_x0 rules_z_plus_empty_group_r0 (group_of rules_z_plus_empty_group_rule 0) 0 = (4722366482869645213696 / 4722366482869645).
Proof. unfold per_unit, part. rewrite rules_z_plus_empty_group_0_0_D0, rules_z_plus_empty_group_0_0_z. evaluate. Qed.

(** rules/flat-zero-weights: flat moves weights of 0: sgn(0) = +1 *)
Definition rules_flat_zero_weights_rule := Flat (4722366482869645 / 4722366482869645213696).
Definition rules_flat_zero_weights_w := given [1; (-1); 2; 1; (-1); 0].
Definition rules_flat_zero_weights_b := given [0; 0; 0].
Definition rules_flat_zero_weights_x0 := given [1; 1].
Definition rules_flat_zero_weights_r0 := given [1; 1; 1].
Example rules_flat_zero_weights_0_input_0 : to_input (dense 2 3) rules_flat_zero_weights_w rules_flat_zero_weights_b rules_flat_zero_weights_rule rules_flat_zero_weights_x0 rules_flat_zero_weights_r0 0 = (4722366482869645213696 / 3148245896035257765679).
Proof. evaluate. Qed.
Example rules_flat_zero_weights_0_input_1 : to_input (dense 2 3) rules_flat_zero_weights_w rules_flat_zero_weights_b rules_flat_zero_weights_rule rules_flat_zero_weights_x0 rules_flat_zero_weights_r0 1 = (4722366482869645213696 / 3148245896035257765679).
Proof. evaluate. Qed.
Example rules_flat_zero_weights_weight_0 : to_weight (dense 2 3) rules_flat_zero_weights_w rules_flat_zero_weights_b rules_flat_zero_weights_rule rules_flat_zero_weights_x0 rules_flat_zero_weights_r0 0 = (4722366482869645213696 / 9444737688105773297037).
Proof. evaluate. Qed.
Example rules_flat_zero_weights_weight_1 : to_weight (dense 2 3) rules_flat_zero_weights_w rules_flat_zero_weights_b rules_flat_zero_weights_rule rules_flat_zero_weights_x0 rules_flat_zero_weights_r0 1 = (-4722366482869645213696 / 9444737688105773297037).
Proof. evaluate. Qed.
Example rules_flat_zero_weights_weight_2 : to_weight (dense 2 3) rules_flat_zero_weights_w rules_flat_zero_weights_b rules_flat_zero_weights_rule rules_flat_zero_weights_x0 rules_flat_zero_weights_r0 2 = (4722366482869645213696 / 9444737688105773297037).
Proof. evaluate. Qed.
Example rules_flat_zero_weights_weight_3 : to_weight (dense 2 3) rules_flat_zero_weights_w rules_flat_zero_weights_b rules_flat_zero_weights_rule rules_flat_zero_weights_x0 rules_flat_zero_weights_r0 3 = (4722366482869645213696 / 9444737688105773297037).
Proof. evaluate. Qed.
Example rules_flat_zero_weights_weight_4 : to_weight (dense 2 3) rules_flat_zero_weights_w rules_flat_zero_weights_b rules_flat_zero_weights_rule rules_flat_zero_weights_x0 rules_flat_zero_weights_r0 4 = (-4722366482869645213696 / 9444737688105773297037).
Proof. evaluate. Qed.
Example rules_flat_zero_weights_weight_5 : to_weight (dense 2 3) rules_flat_zero_weights_w rules_flat_zero_weights_b rules_flat_zero_weights_rule rules_flat_zero_weights_x0 rules_flat_zero_weights_r0 5 = (4722366482869645213696 / 9444737688105773297037).
Proof. evaluate. Qed.
Example rules_flat_zero_weights_bias_0 : to_bias (dense 2 3) rules_flat_zero_weights_w rules_flat_zero_weights_b rules_flat_zero_weights_rule rules_flat_zero_weights_x0 rules_flat_zero_weights_r0 0 = 0.
Proof. evaluate. Qed.
Example rules_flat_zero_weights_bias_1 : to_bias (dense 2 3) rules_flat_zero_weights_w rules_flat_zero_weights_b rules_flat_zero_weights_rule rules_flat_zero_weights_x0 rules_flat_zero_weights_r0 1 = 0.
Proof. evaluate. Qed.
Example rules_flat_zero_weights_bias_2 : to_bias (dense 2 3) rules_flat_zero_weights_w rules_flat_zero_weights_b rules_flat_zero_weights_rule rules_flat_zero_weights_x0 rules_flat_zero_weights_r0 2 = 0.
Proof. evaluate. Qed.

(** rules/z-box-at-the-limits: inputs equal to low and high *)
Definition rules_z_box_at_the_limits_rule := ZBox (fun _ => (-1)) (fun _ => 1) (4722366482869645 / 4722366482869645213696).
Definition rules_z_box_at_the_limits_w := given [(-1); (11 / 8); (-3 / 8); (-1 / 2)].
Definition rules_z_box_at_the_limits_b := given [0; (-7 / 8)].
Definition rules_z_box_at_the_limits_x0 := given [(-1); 1].
Definition rules_z_box_at_the_limits_r0 := given [(-3 / 2); (-3 / 2)].
Definition rules_z_box_at_the_limits_x1 := given [1; 1].
Definition rules_z_box_at_the_limits_r1 := given [2; (3 / 4)].
Example rules_z_box_at_the_limits_0_0_z : pre_activation (dense 2 2) rules_z_box_at_the_limits_w rules_z_box_at_the_limits_b rules_z_box_at_the_limits_x0 0 = (19 / 8).
Proof. evaluate. Qed.
Example rules_z_box_at_the_limits_0_0_D0 : denominator (dense 2 2) rules_z_box_at_the_limits_w rules_z_box_at_the_limits_b rules_z_box_at_the_limits_x0 (group_of rules_z_box_at_the_limits_rule 0) 0 = (19 / 4).
Proof. evaluate. Qed.
Example rules_z_box_at_the_limits_0_0_s0 : per_unit (dense 2 2) rules_z_box_at_the_limits_w rules_z_box_at_the_limits_b rules_z_box_at_the_limits_rule rules_z_box_at_the_limits_x0 rules_z_box_at_the_limits_r0 (group_of rules_z_box_at_the_limits_rule 0) 0 = (-7083549724304467820544 / 22431245515997297634701).
Proof. unfold per_unit, part. rewrite rules_z_box_at_the_limits_0_0_D0, rules_z_box_at_the_limits_0_0_z. evaluate. Qed.
Example rules_z_box_at_the_limits_1_1_z : pre_activation (dense 2 2) rules_z_box_at_the_limits_w rules_z_box_at_the_limits_b rules_z_box_at_the_limits_x1 1 = (-7 / 4).
Proof. evaluate. Qed.
Example rules_z_box_at_the_limits_1_1_D0 : denominator (dense 2 2) rules_z_box_at_the_limits_w rules_z_box_at_the_limits_b rules_z_box_at_the_limits_x1 (group_of rules_z_box_at_the_limits_rule 0) 1 = 0.
Proof. evaluate. Qed.
Example rules_z_box_at_the_limits_1_1_s0 : per_unit (dense 2 2) rules_z_box_at_the_limits_w rules_z_box_at_the_limits_b rules_z_box_at_the_limits_rule rules_z_box_at_the_limits_x1 rules_z_box_at_the_limits_r1 (group_of rules_z_box_at_the_limits_rule 0) 1 = (3541774862152233910272 / 4722366482869645).
Proof. unfold per_unit, part. rewrite rules_z_box_at_the_limits_1_1_D0, rules_z_box_at_the_limits_1_1_z. evaluate. Qed.
