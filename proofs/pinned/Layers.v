(** Written by generate.py from the conformance vectors: do not edit. *)

From LFP Require Import sums.Network pinned.Compute.

(** Group g of a rule. *)
Definition group_of (rho : rule) (g : nat) : group := nth g (groups rho) (Group [] 0 everywhere).

(** dense/z-zero: z is exactly 0 although something flows: s = r / epsilon, with a plus *)
Definition dense_z_zero_rule := Epsilon (4722366482869645 / 4722366482869645213696).
Definition dense_z_zero_w := given [1; (-1); 2; (1 / 2); (-1); (1 / 4)].
Definition dense_z_zero_b := given [0; 0; (1 / 2)].
Definition dense_z_zero_x0 := given [1; 1].
Definition dense_z_zero_r0 := given [1; (-1); 2].
Definition dense_z_zero_x1 := given [(1 / 2); (-2)].
Definition dense_z_zero_r1 := given [1; (1 / 2); (-1)].
Example dense_z_zero_0_0_z : pre_activation (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_x0 0 = 0.
Proof. evaluate. Qed.
Example dense_z_zero_0_0_D0 : denominator (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_x0 (group_of dense_z_zero_rule 0) 0 = 0.
Proof. evaluate. Qed.
Example dense_z_zero_0_0_s0 : per_unit (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x0 dense_z_zero_r0 (group_of dense_z_zero_rule 0) 0 = (4722366482869645213696 / 4722366482869645).
Proof. unfold per_unit, part. rewrite dense_z_zero_0_0_D0, dense_z_zero_0_0_z. evaluate. Qed.
Example dense_z_zero_0_input_0 : to_input (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x0 dense_z_zero_r0 0 = (13164189161413630203487266785965676409085265690974212842886004736 / 13164094380351127906323400868653720559938639352421536722385).
Proof. evaluate. Qed.
Example dense_z_zero_0_input_1 : to_input (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x0 dense_z_zero_r0 1 = (-13164123341252399813582270510160441452250504004524713757917577216 / 13164094380351127906323400868653720559938639352421536722385).
Proof. evaluate. Qed.
Example dense_z_zero_weight_0 : to_weight (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x0 dense_z_zero_r0 0 + to_weight (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x1 dense_z_zero_r1 0 = (11150379289488871129954498851791285553987584 / 11150377059414350772316669821480814165).
Proof. evaluate. Qed.
Example dense_z_zero_weight_1 : to_weight (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x0 dense_z_zero_r0 1 + to_weight (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x1 dense_z_zero_r1 1 = (11150368139116271864643432659346110885658624 / 11150377059414350772316669821480814165).
Proof. evaluate. Qed.
Example dense_z_zero_weight_2 : to_weight (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x0 dense_z_zero_r0 2 + to_weight (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x1 dense_z_zero_r1 2 = (5575179609409096226197289852694985575497728 / 11150377059414350772316669821480814165).
Proof. evaluate. Qed.
Example dense_z_zero_weight_3 : to_weight (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x0 dense_z_zero_r0 3 + to_weight (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x1 dense_z_zero_r1 3 = (-5575190759781695491508356045140160243826688 / 11150377059414350772316669821480814165).
Proof. evaluate. Qed.
Example dense_z_zero_weight_4 : to_weight (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x0 dense_z_zero_r0 4 + to_weight (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x1 dense_z_zero_r1 4 = (-19513185499832093044776952065902840322719744 / 2787609875397527535857094693872041253167017).
Proof. evaluate. Qed.
Example dense_z_zero_weight_5 : to_weight (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x0 dense_z_zero_r0 5 + to_weight (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x1 dense_z_zero_r1 5 = (-8362801750194182208698026737133484901400576 / 2787609875397527535857094693872041253167017).
Proof. evaluate. Qed.
Example dense_z_zero_bias_0 : to_bias (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x0 dense_z_zero_r0 0 + to_bias (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x1 dense_z_zero_r1 0 = 0.
Proof. evaluate. Qed.
Example dense_z_zero_bias_1 : to_bias (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x0 dense_z_zero_r0 1 + to_bias (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x1 dense_z_zero_r1 1 = 0.
Proof. evaluate. Qed.
Example dense_z_zero_bias_2 : to_bias (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x0 dense_z_zero_r0 2 + to_bias (dense 2 3) dense_z_zero_w dense_z_zero_b dense_z_zero_rule dense_z_zero_x1 dense_z_zero_r1 2 = (-8362790599821582943386960544688310233071616 / 2787609875397527535857094693872041253167017).
Proof. evaluate. Qed.

(** dense/z-zero-no-stabiliser: z is exactly 0 and so is epsilon: nothing is handed on *)
Definition dense_z_zero_no_stabiliser_rule := Epsilon 0.
Definition dense_z_zero_no_stabiliser_w := given [1; (-1); 2; (1 / 2); (-1); (1 / 4)].
Definition dense_z_zero_no_stabiliser_b := given [0; 0; (1 / 2)].
Definition dense_z_zero_no_stabiliser_x0 := given [1; 1].
Definition dense_z_zero_no_stabiliser_r0 := given [1; (-1); 2].
Definition dense_z_zero_no_stabiliser_x1 := given [(1 / 2); (-2)].
Definition dense_z_zero_no_stabiliser_r1 := given [1; (1 / 2); (-1)].
Example dense_z_zero_no_stabiliser_0_0_z : pre_activation (dense 2 3) dense_z_zero_no_stabiliser_w dense_z_zero_no_stabiliser_b dense_z_zero_no_stabiliser_x0 0 = 0.
Proof. evaluate. Qed.
Example dense_z_zero_no_stabiliser_0_0_D0 : denominator (dense 2 3) dense_z_zero_no_stabiliser_w dense_z_zero_no_stabiliser_b dense_z_zero_no_stabiliser_x0 (group_of dense_z_zero_no_stabiliser_rule 0) 0 = 0.
Proof. evaluate. Qed.
Example dense_z_zero_no_stabiliser_0_0_s0 : per_unit (dense 2 3) dense_z_zero_no_stabiliser_w dense_z_zero_no_stabiliser_b dense_z_zero_no_stabiliser_rule dense_z_zero_no_stabiliser_x0 dense_z_zero_no_stabiliser_r0 (group_of dense_z_zero_no_stabiliser_rule 0) 0 = 0.
Proof. unfold per_unit, part. rewrite dense_z_zero_no_stabiliser_0_0_D0, dense_z_zero_no_stabiliser_0_0_z. evaluate. Qed.

(** dense/one-by-one: every size 1 *)
Definition dense_one_by_one_rule := Epsilon (4722366482869645 / 4722366482869645213696).
Definition dense_one_by_one_w := given [(-1 / 2)].
Definition dense_one_by_one_b := given [(1 / 4)].
Definition dense_one_by_one_x0 := given [(3 / 2)].
Definition dense_one_by_one_r0 := given [2].
Example dense_one_by_one_0_input_0 : to_input (dense 1 1) dense_one_by_one_w dense_one_by_one_b dense_one_by_one_rule dense_one_by_one_x0 dense_one_by_one_r0 0 = (2361183241434822606848 / 787062654600435158831).
Proof. evaluate. Qed.
Example dense_one_by_one_weight_0 : to_weight (dense 1 1) dense_one_by_one_w dense_one_by_one_b dense_one_by_one_rule dense_one_by_one_x0 dense_one_by_one_r0 0 = (-2361183241434822606848 / 787062654600435158831).
Proof. evaluate. Qed.
Example dense_one_by_one_bias_0 : to_bias (dense 1 1) dense_one_by_one_w dense_one_by_one_b dense_one_by_one_rule dense_one_by_one_x0 dense_one_by_one_r0 0 = (-2361183241434822606848 / 2361187963801305476493).
Proof. evaluate. Qed.

(** pool/max-ties: several maxima in every window: the first in row-major order gets all *)
Definition pool_max_ties_x := given [1; 1; 0; (-1); 1; (1 / 2); (-1); 0; 0; 0; (-2); (-2); 0; 0; (-2); (-2)].
Example pool_max_ties_0_0 : best pool_max_ties_x 0 [1; 4; 5]%nat = 0%nat.
Proof. evaluate_index. Qed.
Example pool_max_ties_0_1 : best pool_max_ties_x 2 [3; 6; 7]%nat = 2%nat.
Proof. evaluate_index. Qed.
Example pool_max_ties_1_0 : best pool_max_ties_x 8 [9; 12; 13]%nat = 8%nat.
Proof. evaluate_index. Qed.
Example pool_max_ties_1_1 : best pool_max_ties_x 10 [11; 14; 15]%nat = 10%nat.
Proof. evaluate_index. Qed.

(** residual/sum-zero: the branches cancel exactly *)
Definition residual_sum_zero_x := given [1; (1 / 2)].
Definition residual_sum_zero_r := given [1; (-1)].
Definition residual_sum_zero_body := given [(-1); 1].
Example residual_sum_zero_0 : branch_reward residual_sum_zero_body (fun j => residual_sum_zero_body j + residual_sum_zero_x j) residual_sum_zero_r (4722366482869645 / 4722366482869645213696) 0%nat = (-4722366482869645213696 / 4722366482869645).
Proof. evaluate. Qed.
Example residual_sum_zero_1 : branch_reward residual_sum_zero_body (fun j => residual_sum_zero_body j + residual_sum_zero_x j) residual_sum_zero_r (4722366482869645 / 4722366482869645213696) 1%nat = (-4722366482869645213696 / 7083554446670950690189).
Proof. evaluate. Qed.
