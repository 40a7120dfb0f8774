package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"tally/node/api"
	"tally/node/home"
	"tally/protocol"
)

// desk is a node's local API without its guard.
type desk struct {
	t   *testing.T
	url string
}

func (n *Node) desk(t *testing.T) desk {
	t.Helper()
	s := httptest.NewServer(api.Handler(api.Node{Datanets: n, Storage: n}, func() {}, slog.New(slog.DiscardHandler)))
	t.Cleanup(s.Close)
	return desk{t, s.URL}
}

// do asks for a path and returns the answer's status and body; a body that is no string or reader goes as JSON.
func (d desk) do(method, path string, body any) (int, string) {
	d.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		j, err := json.Marshal(b)
		if err != nil {
			d.t.Fatal(err)
		}
		r = bytes.NewReader(j)
	}
	q, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, r)
	if err != nil {
		d.t.Fatal(err)
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		d.t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return a.StatusCode, string(b)
}

// gives is do for an answer of JSON that must come.
func gives[T any](d desk, method, path string, body any) (out T) {
	d.t.Helper()
	code, b := d.do(method, path, body)
	if code != http.StatusOK {
		d.t.Fatalf("%s %s: %d: %s", method, path, code, b)
	}
	if err := json.Unmarshal([]byte(b), &out); err != nil {
		d.t.Fatal(err)
	}
	return out
}

func TestADatanetOverTheAPIFromItsCreationToAGrantTakenBack(t *testing.T) {
	town := accessTown(t, "none/1", "none/1", "none/1")
	owner, contributor, reader := town[0].desk(t), town[1].desk(t), town[2].desk(t)
	const all = "/v0/datanets"
	dn := gives[api.Datanet](owner, "POST", all, api.CreateDatanet{Name: "diary", Licence: "CC0-1.0", Private: true, Replicas: 2})
	at := all + "/" + dn.CID
	added := gives[api.Datanet](contributor, "POST", at+"/shards", "a first line\x1ea second line")
	if added.Version != 1 || added.Added == nil || added.Added.Records != 2 || !added.Added.Held || len(added.Added.Preview) != 2 || added.Added.Preview[0] != "a first line" {
		t.Fatalf("%+v", added)
	}
	root := added.Added.Root
	newest := all + "/" + added.CID

	shown := gives[api.Datanet](owner, "GET", at+"?head=1&preview=1", nil)
	if shown.Version != 1 || shown.Records != 2 || len(shown.Shards) != 1 || shown.Shards[0].Held || shown.Shards[0].Contributor != town[1].me.Hex() {
		t.Errorf("shown %+v", shown)
	}
	if again := gives[api.Datanet](contributor, "GET", newest+"?preview=1", nil); !again.Shards[0].Held || len(again.Shards[0].Preview) != 0 {
		t.Errorf("a contributor without a grant is shown %+v", again.Shards)
	}
	if d := gives[api.Datanet](owner, "PATCH", at, api.ChangeDatanet{Replicas: 3}); d.Replicas != 3 || d.Version != 2 {
		t.Errorf("changed %+v", d)
	}
	if log := gives[[]api.Datanet](owner, "GET", newest+"/log", nil); len(log) != 2 || log[0].Version != 1 || log[1].CID != dn.CID {
		t.Errorf("log %+v", log)
	}
	diff := gives[api.DatanetDiff](owner, "GET", at+"/diff?"+url.Values{"to": {added.CID}}.Encode(), nil)
	if len(diff.Added) != 1 || diff.Records != 2 || len(diff.Contributors) != 1 || diff.Contributors[0] != town[1].me.Hex() {
		t.Errorf("diff %+v", diff)
	}

	// Reading it: refused, granted, read from the contributor, taken back.
	me := gives[api.Recipient](reader, "GET", "/v0/recipient", nil)
	if code, b := reader.do("GET", newest+"/shards/"+root, nil); code != http.StatusBadRequest || !strings.Contains(b, "grant") {
		t.Errorf("before the grant: %d, %s", code, b)
	}
	g := gives[api.Grant](owner, "POST", at+"/grants", api.To{To: town[2].me.Hex()})
	if g.Account != town[2].me.Hex() || g.Recipient != me.Recipient || len(g.Envelope) == 0 {
		t.Errorf("granted %+v", g)
	}
	if got := gives[api.Grant](reader, "POST", "/v0/grants", string(g.Envelope)); got.Datanet != dn.CID {
		t.Errorf("accepted %+v", got)
	}
	for as, want := range map[string]string{"": "a first line\x1ea second line", "text": "a first line\x1ea second line"} {
		if code, b := reader.do("GET", newest+"/shards/"+root+"?as="+as, nil); code != http.StatusOK || b != want {
			t.Errorf("as %q: %d, %q", as, code, b)
		}
	}
	if code, b := reader.do("GET", newest+"/shards/"+root+"?as=car", nil); code != http.StatusOK || strings.Contains(b, "first line") {
		t.Errorf("as a CAR file: %d, %q", code, b)
	}
	if k := gives[api.DatanetCheck](reader, "POST", newest+"/verify?fetch=1", nil); !k.Valid || len(k.Undone) != 0 || k.Versions != 2 {
		t.Errorf("verified %+v", k)
	}
	if list := gives[[]api.Grant](owner, "GET", at+"/grants", nil); len(list) != 1 || list[0].Account != g.Account || len(list[0].Envelope) != 0 {
		t.Errorf("grants %+v", list)
	}
	if r := gives[api.Revoked](owner, "POST", at+"/revoke", api.To{To: g.Account}); r.Datanet.Reader == dn.Reader || len(r.Again) != 0 {
		t.Errorf("revoked %+v", r)
	}

	if d := gives[api.Datanet](reader, "PUT", at+"/follow", nil); !d.Following || d.Version != 3 {
		t.Errorf("followed %+v", d)
	}
	if list := gives[[]api.Datanet](reader, "GET", all, nil); len(list) != 1 || !list[0].Following {
		t.Errorf("listed %+v", list)
	}
	if d := gives[api.Datanet](reader, "DELETE", at+"/follow", nil); d.Following {
		t.Errorf("followed still: %+v", d)
	}
	if d := gives[api.Datanet](contributor, "DELETE", at+"/shards/"+root, nil); !d.Shards[0].Withdrawn || d.Records != 0 {
		t.Errorf("withdrawn %+v", d)
	}
}

func TestWhatIsAskedWronglyOfDatanetsIsRefusedWithWhatToDo(t *testing.T) {
	town := accessTown(t, "none/1", "none/1")
	owner, stranger := town[0].desk(t), town[1].desk(t)
	const all = "/v0/datanets"
	dn := gives[api.Datanet](owner, "POST", all, api.CreateDatanet{Name: "notes", Licence: "MIT", Schema: "jsonl", Field: "text"})
	secret := gives[api.Datanet](owner, "POST", all, api.CreateDatanet{Name: "secret", Licence: "MIT", Private: true})
	at, sealed := all+"/"+dn.CID, all+"/"+secret.CID
	nowhere := protocol.CIDOf([]byte("nowhere")).String()
	for name, c := range map[string]struct {
		d            desk
		method, path string
		body         any
		code         int
		want         string
	}{
		"no licence":             {owner, "POST", all, api.CreateDatanet{Name: "n"}, 400, "SPDX"},
		"an unknown schema":      {owner, "POST", all, api.CreateDatanet{Name: "n", Licence: "MIT", Schema: "xml"}, 400, "jsonl"},
		"no field":               {owner, "POST", all, api.CreateDatanet{Name: "n", Licence: "MIT", Schema: "csv"}, 400, "field"},
		"a field of text":        {owner, "POST", all, api.CreateDatanet{Name: "n", Licence: "MIT", Field: "x"}, 400, "field"},
		"show what is no CID":    {owner, "GET", all + "/notes", nil, 400, "no CID"},
		"add to no CID":          {owner, "POST", all + "/notes/shards", "x", 400, "no CID"},
		"change no CID":          {owner, "PATCH", all + "/notes", api.ChangeDatanet{}, 400, "no CID"},
		"withdraw from no CID":   {owner, "DELETE", all + "/notes/shards/" + nowhere, nil, 400, "no CID"},
		"withdraw no CID":        {owner, "DELETE", at + "/shards/first", nil, 400, "no CID"},
		"follow no CID":          {owner, "PUT", all + "/notes/follow", nil, 400, "no CID"},
		"export no CID":          {owner, "GET", at + "/shards/first", nil, 400, "no CID"},
		"log of no CID":          {owner, "GET", all + "/notes/log", nil, 400, "no CID"},
		"diff with no CID":       {owner, "GET", at + "/diff?to=new", nil, 400, "no CID"},
		"verify no CID":          {owner, "POST", all + "/notes/verify", nil, 400, "no CID"},
		"grant no CID":           {owner, "POST", all + "/notes/grants", api.To{To: "x"}, 400, "no CID"},
		"grants of no CID":       {owner, "GET", all + "/notes/grants", nil, 400, "no CID"},
		"revoke of no CID":       {owner, "POST", all + "/notes/revoke", api.To{To: "x"}, 400, "no CID"},
		"a shard that is none":   {owner, "GET", at + "/shards/" + nowhere, nil, 404, "does not list"},
		"its CAR file":           {owner, "GET", at + "/shards/" + nowhere + "?as=car", nil, 404, "does not list"},
		"withdraw none":          {owner, "DELETE", at + "/shards/" + nowhere, nil, 404, "does not list"},
		"two datanets":           {owner, "GET", at + "/diff?to=" + secret.CID, nil, 400, "two datanets"},
		"data of another format": {owner, "POST", at + "/shards", "plain words\n", 400, "line 1"},
		"nothing":                {owner, "POST", at + "/shards", "", 400, "nothing in it"},
		"no CAR file":            {owner, "POST", at + "/shards?car=1", "{}", 400, "CAR"},
		"another's to change":    {stranger, "PATCH", at, api.ChangeDatanet{Replicas: 1}, 400, "not ours"},
		"another's to grant":     {stranger, "POST", sealed + "/grants", api.To{To: town[1].me.Hex()}, 400, "not ours"},
		"grant of a public one":  {owner, "POST", at + "/grants", api.To{To: town[1].me.Hex()}, 400, "public"},
		"grant to nobody":        {owner, "POST", sealed + "/grants", api.To{To: "you"}, 400, "neither an account nor a recipient"},
		"revoke from nobody":     {owner, "POST", sealed + "/revoke", api.To{To: town[1].me.Hex()}, 400, "was not granted"},
		"no grant":               {owner, "POST", "/v0/grants", "not an envelope", 400, "bad request"},
	} {
		if code, b := c.d.do(c.method, c.path, c.body); code != c.code || !strings.Contains(b, c.want) {
			t.Errorf("%s: %d, %s; want %d with %q", name, code, b, c.code, c.want)
		}
	}
	if code, b := owner.do("GET", at+"/shards/"+nowhere+"?as=zip", nil); code != 400 || !strings.Contains(b, "file, text or car") {
		t.Errorf("as a zip: %d, %s", code, b)
	}
}

func TestOnlyRegisteredNodesContribute(t *testing.T) {
	town := accessTown(t, "none/1")
	if err := town[0].mayContribute(town[0].me); err != nil {
		t.Error(err)
	}
	if err := town[0].mayContribute(common.Address{7}); !errors.Is(err, ErrStranger) || !strings.Contains(err.Error(), "register") {
		t.Error(err)
	}
}

// TestAShardWhosePrivacyWasLostIsShownAgainWhenItsOperatorSaysSo tells of a store that lost the database
// of what is private: it hides everything, until `tally storage publish`.
func TestAShardWhosePrivacyWasLostIsShownAgainWhenItsOperatorSaysSo(t *testing.T) {
	n := accessTown(t, home.ClassPin)[0]
	ctx := t.Context()
	sh, err := n.store.S.ImportFile(ctx, strings.NewReader("public words"))
	if err != nil {
		t.Fatal(err)
	}
	mine := gives[api.Datanet](n.desk(t), "POST", "/v0/datanets", api.CreateDatanet{Name: "secret", Licence: "MIT", Private: true})
	if err := n.shut(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(n.store.S.Dir(), "meta")); err != nil {
		t.Fatal(err)
	}
	n = accessNode(t, n.home, n.view)
	shown := func() bool {
		t.Helper()
		has, err := n.store.S.Blockstore().Has(context.WithoutCancel(ctx), sh.Root)
		if err != nil {
			t.Fatal(err)
		}
		return has
	}
	if shown() {
		t.Fatal("it is shown though it is not known whether it was private")
	}
	d := n.desk(t)
	publish := func(root string) (int, string) { return d.do("POST", "/v0/storage/"+root+"/publish", nil) }
	if code, b := publish("first"); code != 400 || !strings.Contains(b, "no CID") {
		t.Errorf("no CID: %d, %s", code, b)
	}
	if code, b := publish(sh.Root.String()); code != 200 || !strings.Contains(b, sh.Root.String()) || !shown() {
		t.Errorf("%d, %s; shown %t", code, b, shown())
	}
	if code, b := publish(sh.Root.String()); code != 200 {
		t.Errorf("said again: %d, %s", code, b)
	}
	of, err := parseCID("datanet", mine.CID)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.store.S.SetPrivate(ctx, sh.Root, of); err != nil {
		t.Fatal(err)
	}
	if code, b := publish(sh.Root.String()); code != 400 || !strings.Contains(b, "private datanet") || shown() {
		t.Errorf("a shard of a private datanet: %d, %s; shown %t", code, b, shown())
	}
}
