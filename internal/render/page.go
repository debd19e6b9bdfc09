package render

import (
	"ipvsstate/internal/explain"
	html "ipvsstate/internal/page"
)

// PageWords are an HTML page's own labels in the catalogue's language.
func PageWords(words *explain.Catalogue) html.Words {
	return html.Words{
		Contents: words.Word("page.contents"), Theme: words.Word("page.theme"), UTC: words.Word("page.utc"),
		Form: words.Word("page.form"), Stacked: words.Word("page.stacked"), Lines: words.Word("page.lines"),
		Zoom: words.Word("page.zoom"), ZoomIn: words.Word("page.zoom_in"), ZoomOut: words.Word("page.zoom_out"), ZoomAll: words.Word("page.zoom_all"),
		Series: words.Word("page.series"), Mouse: words.Word("page.mouse"), KeysMove: words.Word("page.keys_move"),
		KeysMore: words.Word("page.keys_more"), Total: words.Word("total"), Gap: words.Word("page.gap"),
		NoData: words.Word("page.no_data"), Marks: words.Word("page.marks"), Values: words.Word("page.values"), Time: words.Word("page.time"),
		Category: words.Word("page.category"),
		Critical: words.Word("severity.critical"), Warning: words.Word("severity.warning"), Notice: words.Word("severity.notice"),
	}
}
