(** Written by generate.py from the conformance vectors: do not edit. *)

From LFP Require Import sums.Network sums.Convolution pinned.Compute.

(** conv/stride: stride 2 x 1, padding 0 x 1 *)
Definition conv_stride_shape := {| channels := 2; height := 6; width := 5; outputs := 2; kernel_h := 3; kernel_w := 3; stride_h := 2; stride_w := 1; padding_h := 0; padding_w := 1; dilation_h := 1; dilation_w := 1 |}%nat.
Definition conv_stride_x := given [(7 / 8); (15 / 8); (13 / 8); 0; (15 / 8); 2; 0; (-7 / 4); (-1 / 4); (1 / 2); (-7 / 8); 0; (1 / 2); (5 / 4); (3 / 8); (-11 / 8); 0; (3 / 2); (-9 / 8); (1 / 8); 0; (13 / 8); (-15 / 8); (-1 / 8); (13 / 8); (-1 / 4); (-3 / 2); (5 / 4); 0; 2; 0; (-1 / 2); 1; 0; (1 / 4); (7 / 4); (3 / 8); (-11 / 8); (-1 / 8); (1 / 2); 0; 0; (-3 / 8); (15 / 8); (-5 / 4); (5 / 8); (-7 / 4); (-3 / 2); 0; 0; 0; 0; (3 / 2); 0; (-1 / 2); (15 / 8); 0; (-5 / 8); (-5 / 4); (-9 / 8)].
Definition conv_stride_w := given [(-1 / 4); 2; (-15 / 8); 0; (11 / 8); 0; 0; (-7 / 4); (-5 / 4); 1; (-13 / 8); (-15 / 8); (9 / 8); 1; (9 / 8); (-1 / 4); 2; (1 / 8); (1 / 2); 1; 0; 0; 0; (5 / 8); (1 / 2); (5 / 4); (-7 / 4); (11 / 8); (-1 / 4); (-7 / 8); (-7 / 4); (1 / 4); (-3 / 2); (1 / 2); 0; 1].
Definition conv_stride_b := given [0; (-5 / 4)].
Example conv_stride_0 : pre_activation (convolution conv_stride_shape) conv_stride_w conv_stride_b conv_stride_x 0 = (45 / 8).
Proof. evaluate. Qed.
Example conv_stride_5 : pre_activation (convolution conv_stride_shape) conv_stride_w conv_stride_b conv_stride_x 5 = (-449 / 64).
Proof. evaluate. Qed.
Example conv_stride_10 : pre_activation (convolution conv_stride_shape) conv_stride_w conv_stride_b conv_stride_x 10 = (-37 / 32).
Proof. evaluate. Qed.
Example conv_stride_15 : pre_activation (convolution conv_stride_shape) conv_stride_w conv_stride_b conv_stride_x 15 = (-35 / 16).
Proof. evaluate. Qed.

(** conv/padding: padding 1 x 2: what is outside is 0 and gets no reward *)
Definition conv_padding_shape := {| channels := 2; height := 4; width := 3; outputs := 2; kernel_h := 3; kernel_w := 2; stride_h := 1; stride_w := 1; padding_h := 1; padding_w := 2; dilation_h := 1; dilation_w := 1 |}%nat.
Definition conv_padding_x := given [(5 / 4); (-7 / 4); (-11 / 8); (-9 / 8); (-11 / 8); (5 / 4); (3 / 2); (3 / 8); 0; (-13 / 8); (-3 / 4); (-1 / 4); (1 / 2); (-1 / 8); (-1); (-11 / 8); 0; 1; (-15 / 8); 0; (-1 / 4); (-1 / 2); (13 / 8); (1 / 8)].
Definition conv_padding_w := given [2; (-1); 0; (-3 / 8); (9 / 8); (-5 / 8); (-3 / 2); (-1 / 4); (11 / 8); (1 / 8); (1 / 4); (13 / 8); (-11 / 8); (-3 / 4); (1 / 4); (1 / 8); 0; 1; (3 / 4); (1 / 2); (-7 / 4); (3 / 8); 0; (-7 / 8)].
Definition conv_padding_b := given [(1 / 2); (11 / 8)].
Example conv_padding_0 : pre_activation (convolution conv_padding_shape) conv_padding_w conv_padding_b conv_padding_x 0 = (1 / 2).
Proof. evaluate. Qed.
Example conv_padding_12 : pre_activation (convolution conv_padding_shape) conv_padding_w conv_padding_b conv_padding_x 12 = (1 / 2).
Proof. evaluate. Qed.
Example conv_padding_24 : pre_activation (convolution conv_padding_shape) conv_padding_w conv_padding_b conv_padding_x 24 = (11 / 8).
Proof. evaluate. Qed.
Example conv_padding_36 : pre_activation (convolution conv_padding_shape) conv_padding_w conv_padding_b conv_padding_x 36 = (11 / 8).
Proof. evaluate. Qed.

(** conv/dilation: dilation 2 x 1 *)
Definition conv_dilation_shape := {| channels := 1; height := 6; width := 4; outputs := 2; kernel_h := 3; kernel_w := 2; stride_h := 1; stride_w := 1; padding_h := 0; padding_w := 0; dilation_h := 2; dilation_w := 1 |}%nat.
Definition conv_dilation_x := given [0; (1 / 8); (1 / 8); (-5 / 8); 0; (-1 / 2); (5 / 8); (-1 / 2); (-1 / 4); 0; 0; (1 / 2); (-1 / 4); (3 / 4); 0; (-3 / 4); 0; (3 / 4); (-1 / 4); (-3 / 2); (1 / 2); (-15 / 8); (13 / 8); (3 / 2)].
Definition conv_dilation_w := given [(-7 / 4); (1 / 4); (13 / 8); 0; (-3 / 4); 0; 2; (3 / 8); (7 / 8); 0; (-3 / 8); (13 / 8)].
Definition conv_dilation_b := given [(-1 / 8); 2].
Example conv_dilation_0 : pre_activation (convolution conv_dilation_shape) conv_dilation_w conv_dilation_b conv_dilation_x 0 = (-1 / 2).
Proof. evaluate. Qed.
Example conv_dilation_3 : pre_activation (convolution conv_dilation_shape) conv_dilation_w conv_dilation_b conv_dilation_x 3 = (-33 / 32).
Proof. evaluate. Qed.
Example conv_dilation_6 : pre_activation (convolution conv_dilation_shape) conv_dilation_w conv_dilation_b conv_dilation_x 6 = (195 / 64).
Proof. evaluate. Qed.
Example conv_dilation_9 : pre_activation (convolution conv_dilation_shape) conv_dilation_w conv_dilation_b conv_dilation_x 9 = (-105 / 64).
Proof. evaluate. Qed.
