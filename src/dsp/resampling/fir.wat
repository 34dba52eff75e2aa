;; The inner loops of the resampler, with vectors of four floats. `run` is the FirKernel of firKernel.ts, and its
;; `plainKernel` is the same in TypeScript; `toInt16` does what encode.ts does for s16le. All addresses are bytes.
(module
  (import "" "memory" (memory 1))

  (func (export "run")
    (param $output i32) (param $outputEnd i32) (param $outputStep i32)
    (param $input i32) (param $inputStep i32)
    (param $filter i32) (param $filterStep i32) (param $filterBytes i32)
    (param $filtersEnd i32) (param $filtersBytes i32)

    (local $sample i32)
    (local $tap i32)
    (local $tapsEnd i32)
    (local $blocksEnd i32)
    ;; four sums of four, so that no addition waits for the one before it
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)

    (loop $nextOutput
      (local.set $sample (local.get $input))
      (local.set $tap (local.get $filter))
      (local.set $tapsEnd (i32.add (local.get $filter) (local.get $filterBytes)))
      (local.set $blocksEnd (i32.add (local.get $filter) (i32.and (local.get $filterBytes) (i32.const -64))))
      (local.set $a (v128.const i32x4 0 0 0 0))
      (local.set $b (v128.const i32x4 0 0 0 0))
      (local.set $c (v128.const i32x4 0 0 0 0))
      (local.set $d (v128.const i32x4 0 0 0 0))

      ;; sixteen samples by sixteen coefficients
      (loop $nextTaps
        (local.set $a (f32x4.add (local.get $a) (f32x4.mul
          (v128.load offset=0 align=4 (local.get $sample)) (v128.load offset=0 align=4 (local.get $tap)))))
        (local.set $b (f32x4.add (local.get $b) (f32x4.mul
          (v128.load offset=16 align=4 (local.get $sample)) (v128.load offset=16 align=4 (local.get $tap)))))
        (local.set $c (f32x4.add (local.get $c) (f32x4.mul
          (v128.load offset=32 align=4 (local.get $sample)) (v128.load offset=32 align=4 (local.get $tap)))))
        (local.set $d (f32x4.add (local.get $d) (f32x4.mul
          (v128.load offset=48 align=4 (local.get $sample)) (v128.load offset=48 align=4 (local.get $tap)))))
        (local.set $sample (i32.add (local.get $sample) (i32.const 64)))
        (local.set $tap (i32.add (local.get $tap) (i32.const 64)))
        (br_if $nextTaps (i32.lt_u (local.get $tap) (local.get $blocksEnd))))

      ;; the rest, which is at most twelve
      (block $whole
        (br_if $whole (i32.ge_u (local.get $tap) (local.get $tapsEnd)))
        (local.set $a (f32x4.add (local.get $a) (f32x4.mul
          (v128.load offset=0 align=4 (local.get $sample)) (v128.load offset=0 align=4 (local.get $tap)))))
        (br_if $whole (i32.ge_u (i32.add (local.get $tap) (i32.const 16)) (local.get $tapsEnd)))
        (local.set $b (f32x4.add (local.get $b) (f32x4.mul
          (v128.load offset=16 align=4 (local.get $sample)) (v128.load offset=16 align=4 (local.get $tap)))))
        (br_if $whole (i32.ge_u (i32.add (local.get $tap) (i32.const 32)) (local.get $tapsEnd)))
        (local.set $c (f32x4.add (local.get $c) (f32x4.mul
          (v128.load offset=32 align=4 (local.get $sample)) (v128.load offset=32 align=4 (local.get $tap))))))

      ;; the sixteen sums become one
      (local.set $a (f32x4.add
        (f32x4.add (local.get $a) (local.get $b))
        (f32x4.add (local.get $c) (local.get $d))))
      (f32.store (local.get $output) (f32.add
        (f32.add (f32x4.extract_lane 0 (local.get $a)) (f32x4.extract_lane 1 (local.get $a)))
        (f32.add (f32x4.extract_lane 2 (local.get $a)) (f32x4.extract_lane 3 (local.get $a)))))

      ;; behind the last filter comes the first, one sample on
      (local.set $input (i32.add (local.get $input) (local.get $inputStep)))
      (local.set $filter (i32.add (local.get $filter) (local.get $filterStep)))
      (if (i32.ge_u (local.get $filter) (local.get $filtersEnd))
        (then
          (local.set $filter (i32.sub (local.get $filter) (local.get $filtersBytes)))
          (local.set $input (i32.add (local.get $input) (i32.const 4)))))

      (local.set $output (i32.add (local.get $output) (local.get $outputStep)))
      (br_if $nextOutput (i32.lt_u (local.get $output) (local.get $outputEnd)))))

  ;; Floats become 16-bit samples, eight at a time, over the place where they lie: rounded to the nearest, a half
  ;; upwards, and cut off at the ends of the range. At least one is there; up to seven behind the end are written over.
  (func (export "toInt16") (param $input i32) (param $inputEnd i32)
    (local $output i32)
    (local $a v128) (local $b v128) (local $below v128)
    (local.set $output (local.get $input))
    (loop $nextEight
      (local.set $a (f32x4.mul
        (v128.load offset=0 align=4 (local.get $input)) (v128.const f32x4 32768 32768 32768 32768)))
      (local.set $b (f32x4.mul
        (v128.load offset=16 align=4 (local.get $input)) (v128.const f32x4 32768 32768 32768 32768)))

      ;; the whole number below, and one more where what it leaves is a half or more: a sum with 0.5 would be rounded
      (local.set $below (f32x4.floor (local.get $a)))
      (local.set $a (f32x4.add (local.get $below) (v128.and (v128.const f32x4 1 1 1 1)
        (f32x4.ge (f32x4.sub (local.get $a) (local.get $below)) (v128.const f32x4 0.5 0.5 0.5 0.5)))))
      (local.set $below (f32x4.floor (local.get $b)))
      (local.set $b (f32x4.add (local.get $below) (v128.and (v128.const f32x4 1 1 1 1)
        (f32x4.ge (f32x4.sub (local.get $b) (local.get $below)) (v128.const f32x4 0.5 0.5 0.5 0.5)))))

      (v128.store align=4 (local.get $output) (i16x8.narrow_i32x4_s
        (i32x4.trunc_sat_f32x4_s (local.get $a)) (i32x4.trunc_sat_f32x4_s (local.get $b))))
      (local.set $output (i32.add (local.get $output) (i32.const 16)))
      (local.set $input (i32.add (local.get $input) (i32.const 32)))
      (br_if $nextEight (i32.lt_u (local.get $input) (local.get $inputEnd))))))
