// Ends one inclusion of vector_body.h.
#undef HK_TARGET
#undef HK_NAME
#undef block
#undef load
#undef equal
#undef equal_folded
#undef letters
#undef words
#undef prefix_xor
#undef write_bits
#undef places
#undef write_near
#undef differ
