;; The extremes and the squares of 16-bit samples, eight at a time: what addSamples() of sums.ts does for one lane.
(module
  (import "" "memory" (memory 1))

  ;; From `input` to `inputEnd`, in bytes, lies at least one group of eight. To `result` go eight minima and eight maxima
  ;; of 16 bits, then eight sums of squares of 64.
  (func (export "add") (param $input i32) (param $inputEnd i32) (param $result i32)
    (local $samples v128) (local $min v128) (local $max v128) (local $squares v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $min (v128.load (local.get $input)))
    (local.set $max (local.get $min))

    (loop $nextEight
      (local.set $samples (v128.load (local.get $input)))
      (local.set $min (i16x8.min_s (local.get $min) (local.get $samples)))
      (local.set $max (i16x8.max_s (local.get $max) (local.get $samples)))

      (local.set $squares (i32x4.extmul_low_i16x8_s (local.get $samples) (local.get $samples)))
      (local.set $a (i64x2.add (local.get $a) (i64x2.extend_low_i32x4_u (local.get $squares))))
      (local.set $b (i64x2.add (local.get $b) (i64x2.extend_high_i32x4_u (local.get $squares))))
      (local.set $squares (i32x4.extmul_high_i16x8_s (local.get $samples) (local.get $samples)))
      (local.set $c (i64x2.add (local.get $c) (i64x2.extend_low_i32x4_u (local.get $squares))))
      (local.set $d (i64x2.add (local.get $d) (i64x2.extend_high_i32x4_u (local.get $squares))))

      (local.set $input (i32.add (local.get $input) (i32.const 16)))
      (br_if $nextEight (i32.lt_u (local.get $input) (local.get $inputEnd))))

    (v128.store offset=0 (local.get $result) (local.get $min))
    (v128.store offset=16 (local.get $result) (local.get $max))
    (v128.store offset=32 (local.get $result) (local.get $a))
    (v128.store offset=48 (local.get $result) (local.get $b))
    (v128.store offset=64 (local.get $result) (local.get $c))
    (v128.store offset=80 (local.get $result) (local.get $d))))
