package kernel

// Bits64 returns 64 random bits that depend only on the seed, the stream (what the
// numbers are for), the step and the index: no state, so any number can be drawn
// again alone. Each word goes through the finaliser of splitmix64 (Steele, Lea, Flood 2014).
func Bits64(seed, stream, step, index uint64) uint64 {
	h := mix(seed + 0x9e3779b97f4a7c15)
	h = mix(h ^ stream + 0x9e3779b97f4a7c15)
	h = mix(h ^ step + 0x9e3779b97f4a7c15)
	return mix(h ^ index + 0x9e3779b97f4a7c15)
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Uniform returns a number in [0, 1) with 24 random bits.
func Uniform(seed, stream, step, index uint64) float32 {
	return float32(Bits64(seed, stream, step, index)>>40) * (1.0 / (1 << 24))
}

// Normal returns a normally distributed number (Box and Muller, 1958), computed in float64.
func Normal(seed, stream, step, index uint64) float32 {
	b := Bits64(seed, stream, step, index)
	u := (float64(b>>32) + 0.5) / (1 << 32)
	v := float64(uint32(b)) / (1 << 32)
	_, c := Sincos64(float64(v * 6.283185307179586))
	return float32(sqrt64(float64(-2*Log64(u))) * c)
}
