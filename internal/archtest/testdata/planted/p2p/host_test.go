package p2p

import _ "tally/rewards" // a test may import across
