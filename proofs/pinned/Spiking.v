(** Written by generate.py from the conformance vectors: do not edit. *)

From LFP Require Import sums.Network spiking.Spiking spiking.SpikingNetworks pinned.Compute.

(** spiking/at-threshold: a membrane exactly at the threshold does not spike *)
Definition spiking_at_threshold_x (t : nat) : vector := nth t [given [1]; given [1]; given [1]; given [1]] (given []).
Definition spiking_at_threshold_w := given [1].
Definition spiking_at_threshold_r := given [1; 1; 1; 1].
Example spiking_at_threshold_u0 : u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 0 = 1.
Proof. rewrite membrane. unfold v, taken, fired. evaluate. Qed.
Example spiking_at_threshold_spike0 : spike Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 0 = 0.
Proof. unfold spike, fired. change (before Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 1) with (u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 0). rewrite spiking_at_threshold_u0. evaluate. Qed.
Example spiking_at_threshold_den0 : den Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 0 = 1.
Proof. unfold den, v, taken, fired. rewrite spiking_at_threshold_u0. evaluate. Qed.
Example spiking_at_threshold_u1 : u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 1 = (3 / 2).
Proof. rewrite membrane. unfold v, taken, fired. change (before Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 1) with (u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 0). rewrite spiking_at_threshold_u0. evaluate. Qed.
Example spiking_at_threshold_spike1 : spike Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 1 = 0.
Proof. unfold spike, fired. change (before Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 2) with (u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 1). rewrite spiking_at_threshold_u1. evaluate. Qed.
Example spiking_at_threshold_den1 : den Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 1 = (3 / 2).
Proof. unfold den, v, taken, fired. rewrite spiking_at_threshold_u1. change (before Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 1) with (u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 0). rewrite spiking_at_threshold_u0. evaluate. Qed.
Example spiking_at_threshold_u2 : u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 2 = (7 / 4).
Proof. rewrite membrane. unfold v, taken, fired. change (before Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 2) with (u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 1). rewrite spiking_at_threshold_u1. evaluate. Qed.
Example spiking_at_threshold_spike2 : spike Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 2 = 1.
Proof. unfold spike, fired. change (before Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 3) with (u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 2). rewrite spiking_at_threshold_u2. evaluate. Qed.
Example spiking_at_threshold_den2 : den Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 2 = (7 / 4).
Proof. unfold den, v, taken, fired. rewrite spiking_at_threshold_u2. change (before Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 2) with (u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 1). rewrite spiking_at_threshold_u1. evaluate. Qed.
Example spiking_at_threshold_u3 : u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 3 = (3 / 8).
Proof. rewrite membrane. unfold v, taken, fired. change (before Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 3) with (u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 2). rewrite spiking_at_threshold_u2. evaluate. Qed.
Example spiking_at_threshold_spike3 : spike Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 3 = 0.
Proof. unfold spike, fired. change (before Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 4) with (u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 3). rewrite spiking_at_threshold_u3. evaluate. Qed.
Example spiking_at_threshold_den3 : den Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 3 = (15 / 8).
Proof. unfold den, v, taken, fired. rewrite spiking_at_threshold_u3. change (before Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 3) with (u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 2). rewrite spiking_at_threshold_u2. evaluate. Qed.
Example spiking_at_threshold_s3 : s Subtract 1 4 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) (4722366482869645 / 4722366482869645213696) spiking_at_threshold_r 3 = (4722366482869645213696 / 8854441877747067645325).
Proof. unfold s, reward. rewrite spiking_at_threshold_den3. rewrite carry_ends. evaluate. Qed.
Example spiking_at_threshold_s2 : s Subtract 1 4 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) (4722366482869645 / 4722366482869645213696) spiking_at_threshold_r 2 = (61327071596704412169845357634673343478104064 / 73174401022902252601867836098478186599309225).
Proof. unfold s, reward. rewrite spiking_at_threshold_den2. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 3) with (u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 2). rewrite spiking_at_threshold_u2, spiking_at_threshold_s3. evaluate. Qed.
Example spiking_at_threshold_s1 : s Subtract 1 4 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) (4722366482869645 / 4722366482869645213696) spiking_at_threshold_r 1 = (51160274485930348058758088326404612404349349745569307543342153728 / 47121350340751146737441719298080045289126213595357455027671335775).
Proof. unfold s, reward. rewrite spiking_at_threshold_den1. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 2) with (u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 1). rewrite spiking_at_threshold_u1, spiking_at_threshold_s2. evaluate. Qed.
Example spiking_at_threshold_s0 : s Subtract 1 4 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) (4722366482869645 / 4722366482869645213696) spiking_at_threshold_r 0 = (343323068220105622891352981534314806847478789463620364843723979382326980421719366303744 / 222524508001006827564025816104305976198012903648715416309669926659205995510035994824275).
Proof. unfold s, reward. rewrite spiking_at_threshold_den0. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 1) with (u Subtract 1 spiking_at_threshold_x spiking_at_threshold_w 0 (1 / 2) (3 / 2) 0). rewrite spiking_at_threshold_u0, spiking_at_threshold_s1. evaluate. Qed.

(** spiking/given-subtract: an input over time, reset: subtract *)
Definition spiking_given_subtract_x (t : nat) : vector := nth t [given [(7 / 8); (-3 / 2); (3 / 8)]; given [(5 / 8); (13 / 8); (9 / 8)]; given [(-13 / 8); 0; (5 / 8)]; given [(-1 / 8); (1 / 8); (5 / 4)]; given [(-3 / 4); (-3 / 2); (3 / 8)]] (given []).
Definition spiking_given_subtract_w := given [0; (-3 / 4); (-5 / 8)].
Definition spiking_given_subtract_r := given [0; (1 / 8); 0; 0; 0].
Example spiking_given_subtract_u0 : u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 0 = (89 / 64).
Proof. rewrite membrane. unfold v, taken, fired. evaluate. Qed.
Example spiking_given_subtract_spike0 : spike Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 0 = 1.
Proof. unfold spike, fired. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 1) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 0). rewrite spiking_given_subtract_u0. evaluate. Qed.
Example spiking_given_subtract_den0 : den Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 0 = (89 / 64).
Proof. unfold den, v, taken, fired. rewrite spiking_given_subtract_u0. evaluate. Qed.
Example spiking_given_subtract_u1 : u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 1 = (-617 / 512).
Proof. rewrite membrane. unfold v, taken, fired. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 1) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 0). rewrite spiking_given_subtract_u0. evaluate. Qed.
Example spiking_given_subtract_spike1 : spike Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 1 = 0.
Proof. unfold spike, fired. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 2) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 1). rewrite spiking_given_subtract_u1. evaluate. Qed.
Example spiking_given_subtract_den1 : den Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 1 = (1529 / 512).
Proof. unfold den, v, taken, fired. rewrite spiking_given_subtract_u1. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 1) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 0). rewrite spiking_given_subtract_u0. evaluate. Qed.
Example spiking_given_subtract_u2 : u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 2 = (-3871 / 4096).
Proof. rewrite membrane. unfold v, taken, fired. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 2) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 1). rewrite spiking_given_subtract_u1. evaluate. Qed.
Example spiking_given_subtract_spike2 : spike Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 2 = 0.
Proof. unfold spike, fired. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 3) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 2). rewrite spiking_given_subtract_u2. evaluate. Qed.
Example spiking_given_subtract_den2 : den Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 2 = (6001 / 4096).
Proof. unfold den, v, taken, fired. rewrite spiking_given_subtract_u2. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 2) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 1). rewrite spiking_given_subtract_u1. evaluate. Qed.
Example spiking_given_subtract_u3 : u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 3 = (-39385 / 32768).
Proof. rewrite membrane. unfold v, taken, fired. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 3) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 2). rewrite spiking_given_subtract_u2. evaluate. Qed.
Example spiking_given_subtract_spike3 : spike Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 3 = 0.
Proof. unfold spike, fired. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 4) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 3). rewrite spiking_given_subtract_u3. evaluate. Qed.
Example spiking_given_subtract_den3 : den Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 3 = (39385 / 32768).
Proof. unfold den, v, taken, fired. rewrite spiking_given_subtract_u3. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 3) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 2). rewrite spiking_given_subtract_u2. evaluate. Qed.
Example spiking_given_subtract_u4 : u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 4 = (88849 / 262144).
Proof. rewrite membrane. unfold v, taken, fired. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 4) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 3). rewrite spiking_given_subtract_u3. evaluate. Qed.
Example spiking_given_subtract_spike4 : spike Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 4 = 0.
Proof. unfold spike, fired. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 5) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 4). rewrite spiking_given_subtract_u4. evaluate. Qed.
Example spiking_given_subtract_den4 : den Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 4 = (719009 / 262144).
Proof. unfold den, v, taken, fired. rewrite spiking_given_subtract_u4. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 4) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 3). rewrite spiking_given_subtract_u3. evaluate. Qed.
Example spiking_given_subtract_s4 : s Subtract 3 5 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 (4722366482869645 / 4722366482869645213696) spiking_given_subtract_r 4 = 0.
Proof. unfold s, reward. rewrite spiking_given_subtract_den4. rewrite carry_ends. evaluate. Qed.
Example spiking_given_subtract_s3 : s Subtract 3 5 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 (4722366482869645 / 4722366482869645213696) spiking_given_subtract_r 3 = 0.
Proof. unfold s, reward. rewrite spiking_given_subtract_den3. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 4) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 3). rewrite spiking_given_subtract_u3, spiking_given_subtract_s4. evaluate. Qed.
Example spiking_given_subtract_s2 : s Subtract 3 5 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 (4722366482869645 / 4722366482869645213696) spiking_given_subtract_r 2 = 0.
Proof. unfold s, reward. rewrite spiking_given_subtract_den2. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 3) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 2). rewrite spiking_given_subtract_u2, spiking_given_subtract_s3. evaluate. Qed.
Example spiking_given_subtract_s1 : s Subtract 3 5 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 (4722366482869645 / 4722366482869645213696) spiking_given_subtract_r 1 = (590295810358705651712 / 14102540566717435080077).
Proof. unfold s, reward. rewrite spiking_given_subtract_den1. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 2) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 1). rewrite spiking_given_subtract_u1, spiking_given_subtract_s2. evaluate. Qed.
Example spiking_given_subtract_s0 : s Subtract 3 5 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 (4722366482869645 / 4722366482869645213696) spiking_given_subtract_r 0 = (3391934633467914603802918086879865531793408 / 92612027155275141375669441065177651340140457).
Proof. unfold s, reward. rewrite spiking_given_subtract_den0. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 1) with (u Subtract 3 spiking_given_subtract_x spiking_given_subtract_w (1 / 2) (7 / 8) 1 0). rewrite spiking_given_subtract_u0, spiking_given_subtract_s1. evaluate. Qed.

(** spiking/given-zero: an input over time, reset: zero *)
Definition spiking_given_zero_x (t : nat) : vector := nth t [given [(7 / 8); (-3 / 2); (3 / 8)]; given [(5 / 8); (13 / 8); (9 / 8)]; given [(-13 / 8); 0; (5 / 8)]; given [(-1 / 8); (1 / 8); (5 / 4)]; given [(-3 / 4); (-3 / 2); (3 / 8)]] (given []).
Definition spiking_given_zero_w := given [0; (-3 / 4); (-5 / 8)].
Definition spiking_given_zero_r := given [0; (1 / 8); 0; 0; 0].
Example spiking_given_zero_u0 : u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 0 = (89 / 64).
Proof. rewrite membrane. unfold v, taken, fired. evaluate. Qed.
Example spiking_given_zero_spike0 : spike ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 0 = 1.
Proof. unfold spike, fired. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 1) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 0). rewrite spiking_given_zero_u0. evaluate. Qed.
Example spiking_given_zero_den0 : den ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 0 = (89 / 64).
Proof. unfold den, v, taken, fired. rewrite spiking_given_zero_u0. evaluate. Qed.
Example spiking_given_zero_u1 : u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 1 = (-91 / 64).
Proof. rewrite membrane. unfold v, taken, fired. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 1) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 0). rewrite spiking_given_zero_u0. evaluate. Qed.
Example spiking_given_zero_spike1 : spike ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 1 = 0.
Proof. unfold spike, fired. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 2) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 1). rewrite spiking_given_zero_u1. evaluate. Qed.
Example spiking_given_zero_den1 : den ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 1 = (91 / 64).
Proof. unfold den, v, taken, fired. rewrite spiking_given_zero_u1. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 1) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 0). rewrite spiking_given_zero_u0. evaluate. Qed.
Example spiking_given_zero_u2 : u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 2 = (-581 / 512).
Proof. rewrite membrane. unfold v, taken, fired. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 2) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 1). rewrite spiking_given_zero_u1. evaluate. Qed.
Example spiking_given_zero_spike2 : spike ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 2 = 0.
Proof. unfold spike, fired. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 3) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 2). rewrite spiking_given_zero_u2. evaluate. Qed.
Example spiking_given_zero_den2 : den ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 2 = (875 / 512).
Proof. unfold den, v, taken, fired. rewrite spiking_given_zero_u2. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 2) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 1). rewrite spiking_given_zero_u1. evaluate. Qed.
Example spiking_given_zero_u3 : u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 3 = (-5603 / 4096).
Proof. rewrite membrane. unfold v, taken, fired. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 3) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 2). rewrite spiking_given_zero_u2. evaluate. Qed.
Example spiking_given_zero_spike3 : spike ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 3 = 0.
Proof. unfold spike, fired. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 4) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 3). rewrite spiking_given_zero_u3. evaluate. Qed.
Example spiking_given_zero_den3 : den ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 3 = (5603 / 4096).
Proof. unfold den, v, taken, fired. rewrite spiking_given_zero_u3. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 3) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 2). rewrite spiking_given_zero_u2. evaluate. Qed.
Example spiking_given_zero_u4 : u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 4 = (6347 / 32768).
Proof. rewrite membrane. unfold v, taken, fired. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 4) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 3). rewrite spiking_given_zero_u3. evaluate. Qed.
Example spiking_given_zero_spike4 : spike ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 4 = 0.
Proof. unfold spike, fired. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 5) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 4). rewrite spiking_given_zero_u4. evaluate. Qed.
Example spiking_given_zero_den4 : den ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 4 = (95995 / 32768).
Proof. unfold den, v, taken, fired. rewrite spiking_given_zero_u4. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 4) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 3). rewrite spiking_given_zero_u3. evaluate. Qed.
Example spiking_given_zero_s4 : s ToZero 3 5 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 (4722366482869645 / 4722366482869645213696) spiking_given_zero_r 4 = 0.
Proof. unfold s, reward. rewrite spiking_given_zero_den4. rewrite carry_ends. evaluate. Qed.
Example spiking_given_zero_s3 : s ToZero 3 5 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 (4722366482869645 / 4722366482869645213696) spiking_given_zero_r 3 = 0.
Proof. unfold s, reward. rewrite spiking_given_zero_den3. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 4) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 3). rewrite spiking_given_zero_u3, spiking_given_zero_s4. evaluate. Qed.
Example spiking_given_zero_s2 : s ToZero 3 5 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 (4722366482869645 / 4722366482869645213696) spiking_given_zero_r 2 = 0.
Proof. unfold s, reward. rewrite spiking_given_zero_den2. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 3) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 2). rewrite spiking_given_zero_u2, spiking_given_zero_s3. evaluate. Qed.
Example spiking_given_zero_s1 : s ToZero 3 5 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 (4722366482869645 / 4722366482869645213696) spiking_given_zero_r 1 = (590295810358705651712 / 6714619565196759657869).
Proof. unfold s, reward. rewrite spiking_given_zero_den1. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 2) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 1). rewrite spiking_given_zero_u1, spiking_given_zero_s2. evaluate. Qed.
Example spiking_given_zero_s0 : s ToZero 3 5 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 (4722366482869645 / 4722366482869645213696) spiking_given_zero_r 0 = 0.
Proof. unfold s, reward. rewrite spiking_given_zero_den0. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 1) with (u ToZero 3 spiking_given_zero_x spiking_given_zero_w (1 / 2) (7 / 8) 1 0). rewrite spiking_given_zero_u0, spiking_given_zero_s1. evaluate. Qed.

(** spiking/given-none: an input over time, reset: none *)
Definition spiking_given_none_x (t : nat) : vector := nth t [given [(7 / 8); (-3 / 2); (3 / 8)]; given [(5 / 8); (13 / 8); (9 / 8)]; given [(-13 / 8); 0; (5 / 8)]; given [(-1 / 8); (1 / 8); (5 / 4)]; given [(-3 / 4); (-3 / 2); (3 / 8)]] (given []).
Definition spiking_given_none_w := given [0; (-3 / 4); (-5 / 8)].
Definition spiking_given_none_r := given [0; (1 / 8); 0; 0; 0].
Example spiking_given_none_u0 : u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 0 = (89 / 64).
Proof. rewrite membrane. unfold v, taken, fired. evaluate. Qed.
Example spiking_given_none_spike0 : spike NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 0 = 1.
Proof. unfold spike, fired. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 1) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 0). rewrite spiking_given_none_u0. evaluate. Qed.
Example spiking_given_none_den0 : den NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 0 = (89 / 64).
Proof. unfold den, v, taken, fired. rewrite spiking_given_none_u0. evaluate. Qed.
Example spiking_given_none_u1 : u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 1 = (-105 / 512).
Proof. rewrite membrane. unfold v, taken, fired. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 1) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 0). rewrite spiking_given_none_u0. evaluate. Qed.
Example spiking_given_none_spike1 : spike NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 1 = 0.
Proof. unfold spike, fired. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 2) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 1). rewrite spiking_given_none_u1. evaluate. Qed.
Example spiking_given_none_den1 : den NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 1 = (1529 / 512).
Proof. unfold den, v, taken, fired. rewrite spiking_given_none_u1. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 1) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 0). rewrite spiking_given_none_u0. evaluate. Qed.
Example spiking_given_none_u2 : u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 2 = (-287 / 4096).
Proof. rewrite membrane. unfold v, taken, fired. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 2) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 1). rewrite spiking_given_none_u1. evaluate. Qed.
Example spiking_given_none_spike2 : spike NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 2 = 0.
Proof. unfold spike, fired. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 3) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 2). rewrite spiking_given_none_u2. evaluate. Qed.
Example spiking_given_none_den2 : den NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 2 = (1393 / 4096).
Proof. unfold den, v, taken, fired. rewrite spiking_given_none_u2. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 2) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 1). rewrite spiking_given_none_u1. evaluate. Qed.
Example spiking_given_none_u3 : u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 3 = (-14297 / 32768).
Proof. rewrite membrane. unfold v, taken, fired. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 3) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 2). rewrite spiking_given_none_u2. evaluate. Qed.
Example spiking_given_none_spike3 : spike NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 3 = 0.
Proof. unfold spike, fired. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 4) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 3). rewrite spiking_given_none_u3. evaluate. Qed.
Example spiking_given_none_den3 : den NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 3 = (14297 / 32768).
Proof. unfold den, v, taken, fired. rewrite spiking_given_none_u3. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 3) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 2). rewrite spiking_given_none_u2. evaluate. Qed.
Example spiking_given_none_u4 : u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 4 = (264465 / 262144).
Proof. rewrite membrane. unfold v, taken, fired. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 4) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 3). rewrite spiking_given_none_u3. evaluate. Qed.
Example spiking_given_none_spike4 : spike NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 4 = 1.
Proof. unfold spike, fired. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 5) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 4). rewrite spiking_given_none_u4. evaluate. Qed.
Example spiking_given_none_den4 : den NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 4 = (493217 / 262144).
Proof. unfold den, v, taken, fired. rewrite spiking_given_none_u4. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 4) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 3). rewrite spiking_given_none_u3. evaluate. Qed.
Example spiking_given_none_s4 : s NoReset 3 5 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 (4722366482869645 / 4722366482869645213696) spiking_given_none_r 4 = 0.
Proof. unfold s, reward. rewrite spiking_given_none_den4. rewrite carry_ends. evaluate. Qed.
Example spiking_given_none_s3 : s NoReset 3 5 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 (4722366482869645 / 4722366482869645213696) spiking_given_none_r 3 = 0.
Proof. unfold s, reward. rewrite spiking_given_none_den3. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 4) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 3). rewrite spiking_given_none_u3, spiking_given_none_s4. evaluate. Qed.
Example spiking_given_none_s2 : s NoReset 3 5 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 (4722366482869645 / 4722366482869645213696) spiking_given_none_r 2 = 0.
Proof. unfold s, reward. rewrite spiking_given_none_den2. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 3) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 2). rewrite spiking_given_none_u2, spiking_given_none_s3. evaluate. Qed.
Example spiking_given_none_s1 : s NoReset 3 5 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 (4722366482869645 / 4722366482869645213696) spiking_given_none_r 1 = (590295810358705651712 / 14102540566717435080077).
Proof. unfold s, reward. rewrite spiking_given_none_den1. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 2) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 1). rewrite spiking_given_none_u1, spiking_given_none_s2. evaluate. Qed.
Example spiking_given_none_s0 : s NoReset 3 5 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 (4722366482869645 / 4722366482869645213696) spiking_given_none_r 0 = (3391934633467914603802918086879865531793408 / 92612027155275141375669441065177651340140457).
Proof. unfold s, reward. rewrite spiking_given_none_den0. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 1) with (u NoReset 3 spiking_given_none_x spiking_given_none_w (1 / 2) (7 / 8) 1 0). rewrite spiking_given_none_u0, spiking_given_none_s1. evaluate. Qed.

(** spiking/nothing-flows-no-stabiliser: the same with epsilon = 0: s = 0 *)
Definition spiking_nothing_flows_no_stabiliser_x (t : nat) : vector := nth t [given [0; 0]; given [0; 0]; given [0; 0]] (given []).
Definition spiking_nothing_flows_no_stabiliser_w := given [1; (-1)].
Definition spiking_nothing_flows_no_stabiliser_r := given [1; 1; 1].
Example spiking_nothing_flows_no_stabiliser_u0 : u Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 0 = 0.
Proof. rewrite membrane. unfold v, taken, fired. evaluate. Qed.
Example spiking_nothing_flows_no_stabiliser_spike0 : spike Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 0 = 0.
Proof. unfold spike, fired. change (before Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 1) with (u Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 0). rewrite spiking_nothing_flows_no_stabiliser_u0. evaluate. Qed.
Example spiking_nothing_flows_no_stabiliser_den0 : den Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 0 = 0.
Proof. unfold den, v, taken, fired. rewrite spiking_nothing_flows_no_stabiliser_u0. evaluate. Qed.
Example spiking_nothing_flows_no_stabiliser_u1 : u Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 1 = 0.
Proof. rewrite membrane. unfold v, taken, fired. change (before Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 1) with (u Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 0). rewrite spiking_nothing_flows_no_stabiliser_u0. evaluate. Qed.
Example spiking_nothing_flows_no_stabiliser_spike1 : spike Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 1 = 0.
Proof. unfold spike, fired. change (before Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 2) with (u Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 1). rewrite spiking_nothing_flows_no_stabiliser_u1. evaluate. Qed.
Example spiking_nothing_flows_no_stabiliser_den1 : den Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 1 = 0.
Proof. unfold den, v, taken, fired. rewrite spiking_nothing_flows_no_stabiliser_u1. change (before Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 1) with (u Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 0). rewrite spiking_nothing_flows_no_stabiliser_u0. evaluate. Qed.
Example spiking_nothing_flows_no_stabiliser_u2 : u Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 2 = 0.
Proof. rewrite membrane. unfold v, taken, fired. change (before Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 2) with (u Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 1). rewrite spiking_nothing_flows_no_stabiliser_u1. evaluate. Qed.
Example spiking_nothing_flows_no_stabiliser_spike2 : spike Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 2 = 0.
Proof. unfold spike, fired. change (before Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 3) with (u Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 2). rewrite spiking_nothing_flows_no_stabiliser_u2. evaluate. Qed.
Example spiking_nothing_flows_no_stabiliser_den2 : den Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 2 = 0.
Proof. unfold den, v, taken, fired. rewrite spiking_nothing_flows_no_stabiliser_u2. change (before Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 2) with (u Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 1). rewrite spiking_nothing_flows_no_stabiliser_u1. evaluate. Qed.
Example spiking_nothing_flows_no_stabiliser_s2 : s Subtract 2 3 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 0 spiking_nothing_flows_no_stabiliser_r 2 = 0.
Proof. unfold s, reward. rewrite spiking_nothing_flows_no_stabiliser_den2. rewrite carry_ends. evaluate. Qed.
Example spiking_nothing_flows_no_stabiliser_s1 : s Subtract 2 3 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 0 spiking_nothing_flows_no_stabiliser_r 1 = 0.
Proof. unfold s, reward. rewrite spiking_nothing_flows_no_stabiliser_den1. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 2) with (u Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 1). rewrite spiking_nothing_flows_no_stabiliser_u1, spiking_nothing_flows_no_stabiliser_s2. evaluate. Qed.
Example spiking_nothing_flows_no_stabiliser_s0 : s Subtract 2 3 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 0 spiking_nothing_flows_no_stabiliser_r 0 = 0.
Proof. unfold s, reward. rewrite spiking_nothing_flows_no_stabiliser_den0. rewrite carry_is_what_flowed by lia. unfold v, fired. change (before Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 1) with (u Subtract 2 spiking_nothing_flows_no_stabiliser_x spiking_nothing_flows_no_stabiliser_w 0 (7 / 8) 1 0). rewrite spiking_nothing_flows_no_stabiliser_u0, spiking_nothing_flows_no_stabiliser_s1. evaluate. Qed.

(** spiking/fast-sigmoid-surrogate: gradient ascent through time, the reset held constant *)
Definition spiking_fast_sigmoid_surrogate_x (t : nat) : vector := nth t [given [(7 / 8); (-3 / 2); (3 / 8)]; given [(5 / 8); (13 / 8); (9 / 8)]; given [(-13 / 8); 0; (5 / 8)]] (given []).
Definition spiking_fast_sigmoid_surrogate_w := given [0; (-3 / 4); (-5 / 8)].
Definition spiking_fast_sigmoid_surrogate_r := given [0; 0; (1 / 4)].
Example spiking_fast_sigmoid_surrogate_s0 : slope Subtract 3 3 spiking_fast_sigmoid_surrogate_x spiking_fast_sigmoid_surrogate_w (1 / 2) (1 / 2) 1 (fun x => 1 / ((1 + 4 * Rabs x) * (1 + 4 * Rabs x))) spiking_fast_sigmoid_surrogate_r 0 = (256 / 263169).
Proof. evaluate. Qed.
Example spiking_fast_sigmoid_surrogate_s1 : slope Subtract 3 3 spiking_fast_sigmoid_surrogate_x spiking_fast_sigmoid_surrogate_w (1 / 2) (1 / 2) 1 (fun x => 1 / ((1 + 4 * Rabs x) * (1 + 4 * Rabs x))) spiking_fast_sigmoid_surrogate_r 1 = (512 / 263169).
Proof. evaluate. Qed.
Example spiking_fast_sigmoid_surrogate_s2 : slope Subtract 3 3 spiking_fast_sigmoid_surrogate_x spiking_fast_sigmoid_surrogate_w (1 / 2) (1 / 2) 1 (fun x => 1 / ((1 + 4 * Rabs x) * (1 + 4 * Rabs x))) spiking_fast_sigmoid_surrogate_r 2 = (1024 / 263169).
Proof. evaluate. Qed.

(** spiking/one-step as a layer: T = 1: den = |I| *)
Definition spiking_one_step_layer := LIF (dense 3 4) 12 4 Subtract 1 (7 / 8) 1 (4722366482869645 / 4722366482869645213696) (fun _ => 1) (given [0; (-3 / 4); (-5 / 8); (1 / 2); (1 / 2); 0; 0; (-11 / 8); 0; 0; (-1 / 8); (-2); (1 / 2); 0; (-1 / 2); 0]).
Example spiking_one_step_input_reward0_0 : feedback spiking_one_step_layer (given [(11 / 8); (-1 / 2); 0]) (given [0; 0; (11 / 8); (-3 / 4)]) 0%nat = 0.
Proof. evaluate. Qed.
Example spiking_one_step_input_reward0_1 : feedback spiking_one_step_layer (given [(11 / 8); (-1 / 2); 0]) (given [0; 0; (11 / 8); (-3 / 4)]) 1%nat = (1121590717197177480431104770645031257112576 / 261342433003881117793935415853419382988713).
Proof. evaluate. Qed.
Example spiking_one_step_input_reward0_2 : feedback spiking_one_step_layer (given [(11 / 8); (-1 / 2); 0]) (given [0; 0; (11 / 8); (-3 / 4)]) 2%nat = 0.
Proof. evaluate. Qed.
Example spiking_one_step_input_reward1_0 : feedback spiking_one_step_layer (given [(7 / 4); (7 / 8); (3 / 2)]) (given [0; (5 / 8); 0; (-1 / 2)]) 0%nat = (2582544170319337226240 / 6198110731132892212621).
Proof. evaluate. Qed.
Example spiking_one_step_input_reward1_1 : feedback spiking_one_step_layer (given [(7 / 4); (7 / 8); (3 / 2)]) (given [0; (5 / 8); 0; (-1 / 2)]) 1%nat = (20561229056262803984171334468249308285108224 / 91010659338336493181853591265831246298636201).
Proof. evaluate. Qed.
Example spiking_one_step_input_reward1_2 : feedback spiking_one_step_layer (given [(7 / 4); (7 / 8); (3 / 2)]) (given [0; (5 / 8); 0; (-1 / 2)]) 2%nat = (7083549724304467820544 / 14683613005039285955981).
Proof. evaluate. Qed.
Example spiking_one_step_feedback11 : parameter_feedback spiking_one_step_layer (given [(11 / 8); (-1 / 2); 0]) (given [0; 0; (11 / 8); (-3 / 4)]) 11%nat + parameter_feedback spiking_one_step_layer (given [(7 / 4); (7 / 8); (3 / 2)]) (given [0; (5 / 8); 0; (-1 / 2)]) 11%nat = (-7083549724304467820544 / 14683613005039285955981).
Proof. evaluate. Qed.
Example spiking_one_step_feedback14 : parameter_feedback spiking_one_step_layer (given [(11 / 8); (-1 / 2); 0]) (given [0; 0; (11 / 8); (-3 / 4)]) 14%nat + parameter_feedback spiking_one_step_layer (given [(7 / 4); (7 / 8); (3 / 2)]) (given [0; (5 / 8); 0; (-1 / 2)]) 14%nat = (3246626956972881084416 / 885448437904541347213).
Proof. evaluate. Qed.
