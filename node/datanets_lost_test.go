package node

import (
	"os"
	"strings"
	"testing"

	"tally/node/api"
)

func TestAnOwnerPublishesOnAfterTheDataDiskWasLostAndMadeAnew(t *testing.T) {
	n := accessTown(t, "none/1")[0]
	const all = "/v0/datanets"
	d := n.desk(t)
	first := gives[api.Datanet](d, "POST", all, api.CreateDatanet{Name: "logbook", Licence: "CC0-1.0"})
	at := all + "/" + first.CID + "/shards"
	gives[api.Datanet](d, "POST", at, "the first page\x1eand its back")
	second := gives[api.Datanet](d, "POST", at, "the second page")
	if err := n.shut(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(n.home.Path("storage")); err != nil {
		t.Fatal(err)
	}
	if shards, err := InitStorage(n.home); err != nil || shards != 0 {
		t.Fatalf("%d shards, %v", shards, err)
	}

	n = accessNode(t, n.home, n.view)
	d = n.desk(t)
	if list := gives[[]api.Datanet](d, "GET", all, nil); len(list) != 1 || list[0].Version != 2 || list[0].Problem != "" {
		t.Errorf("listed %+v", list)
	}
	if log := gives[[]api.Datanet](d, "GET", all+"/"+second.CID+"/log", nil); len(log) != 3 || log[2].CID != first.CID {
		t.Errorf("log %+v", log)
	}
	if s := gives[api.Datanet](d, "GET", all+"/"+first.CID+"?head=1", nil); s.Version != 2 || len(s.Shards) != 2 || s.Shards[0].Held || s.Shards[1].Held {
		t.Errorf("shown %+v", s)
	}
	k := gives[api.DatanetCheck](d, "POST", all+"/"+second.CID+"/verify", nil)
	for _, s := range second.Shards {
		if !k.Valid || !strings.Contains(strings.Join(k.Undone, "\n"), s.Root+": its data is not here") {
			t.Errorf("it is not said that %s is lost: %+v", s.Root, k)
		}
	}
	if third := gives[api.Datanet](d, "POST", at, "the third page"); third.Version != 3 || len(third.Shards) != 3 || third.Parent != second.CID {
		t.Errorf("went on with %+v", third)
	}
	if err := n.datanets.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	of, err := parseCID("datanet", second.CID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.store.Local(t.Context(), of); err != nil {
		t.Errorf("version 2 was not put back: %v", err)
	}
}
