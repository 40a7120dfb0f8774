package devnet

import "testing"

func TestGoInstallationGivesThreePartsOfText(t *testing.T) {
	parts, err := GoCorpus(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	for _, p := range parts {
		t.Logf("%s: %d records, %d bytes", p.Name, len(p.Records), p.Bytes())
		if p.Bytes() < 10_000 {
			t.Errorf("%s holds %d bytes", p.Name, p.Bytes())
		}
	}
}
