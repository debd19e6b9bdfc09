package render

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/history"
	"ipvsstate/internal/tally"
)

// comparisons are a diff and a coverage of listings that do not tell a state, with a service whose
// name is a formula.
func comparisons() (*Diff, *Sync) {
	s := &Summary{Tally: tally.New(tally.Options{})}
	config := ConfigDiff{ConfigTold: true, Config: []history.ConfigChange{{What: history.ServicePart, Name: "=cmd()", Before: "=rr", After: "wrr"}}}
	untold := tally.Value{Protocol: conn.TCP}
	d := &Diff{Before: s, After: s, Seconds: conn.Unknown, ConfigDiff: config, Diff: &history.Diff{
		States: history.Changes{All: []history.Change{{Value: untold, Before: 2, After: 1}}},
		Moves:  []history.Move{{Protocol: conn.TCP, Gone: true, Count: 1}, {Protocol: conn.TCP, Count: 1}, {Protocol: conn.TCP, New: true, Count: 1}},
	}}
	none := history.CoverageOf{Value: untold, Coverage: history.Coverage{Master: 1}}
	unknown := history.CoverageOf{Coverage: history.Coverage{Master: 1}} // idle for a time that is not known
	c := &Sync{Master: s, Backup: s, Apart: conn.Unknown, ConfigDiff: config, Sync: &history.Sync{
		States: []history.CoverageOf{none}, Silences: []history.CoverageOf{unknown},
		OnlyBackup:          []history.OnlyBackup{{Protocol: conn.TCP, State: conn.Established, Origin: conn.Sync, Count: 2}, {Protocol: conn.TCP, State: conn.Established, Origin: conn.Local, Count: 1}},
		OnlyBackupTemplates: 3,
	}}
	return d, c
}

// TestComparisonsForPrograms: names that are not told are null, and none is a formula.
func TestComparisonsForPrograms(t *testing.T) {
	d, s := comparisons()
	for _, tt := range []struct {
		name  string
		write func(io.Writer) error
		want  []string
	}{
		{"diff -o json", func(w io.Writer) error { return DiffJSON(w, d, Options{}) }, []string{
			`"states":[{"protocol":"TCP","name":null,"before":2,"after":1,"change":-1}]`,
			`{"what":"gone","protocol":"TCP","from":null,"to":null,"count":1,"gone_by":`,
			`{"what":"move","protocol":"TCP","from":null,"to":null,"count":1}`,
			`{"what":"new","protocol":"TCP","from":null,"to":null,"count":1}`,
		}},
		{"diff -o csv", func(w io.Writer) error { return DiffCSV(w, d, Options{}) }, []string{"config service,,'=cmd(),,'=rr,wrr,,,,,\n"}},
		{"sync -o json", func(w io.Writer) error { return SyncJSON(w, s, Options{}) }, []string{
			`"states":[{"protocol":"TCP","name":null,"master":1,"held":0,"missing":1}]`,
			`"established_by_idle":[{"name":null,"master":1,"held":0,"missing":1}]`,
		}},
		{"sync -o csv", func(w io.Writer) error { return SyncCSV(w, s, Options{}) }, []string{
			"config service,,'=cmd(),'=rr,,,wrr,\n",
			"only on the backup,TCP,ESTABLISHED,,,,2,SYNC\nonly on the backup,TCP,ESTABLISHED,,,,1,LOCAL\n",
			"templates only on the backup,,,,,,3,\n",
		}},
		{"origins -o json", func(w io.Writer) error {
			return OriginsJSON(w, &Origins{Summary: s.Master, States: []history.ByOrigin{{Value: tally.Value{Protocol: conn.TCP}, Sync: 1}}}, Options{})
		}, []string{`"states":[{"protocol":"TCP","state":null,"local":0,"sync":1,"unknown":0}],"templates":{"local":0,"sync":0,"unknown":0}`}},
	} {
		var b bytes.Buffer
		if err := tt.write(&b); err != nil {
			t.Fatal(err)
		}
		got := b.String()
		if strings.HasSuffix(tt.name, "json") {
			got = strings.NewReplacer("\n", "", " ", "").Replace(got)
		}
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks\n%s\nin\n%s", tt.name, want, got)
			}
		}
	}
}
