/*
 * style.c: the style sheet of the HTML report.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "html.h"

static const char *const lines[] = {
    ":root{color-scheme:light dark;--back:#fff;--text:#1c2330;--soft:#5d6675;--line:#dfe3e8;--card:#f6f7f9}",
    "@media(prefers-color-scheme:dark){:root{--back:#14181f;--text:#e6e9ee;--soft:#9aa4b2;--line:#2c333d;"
    "--card:#1c222b}}",
    "*{box-sizing:border-box}",
    "body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,"
    "Helvetica,Arial,sans-serif}",
    "main{max-width:1180px;margin:0 auto;padding:20px 16px 60px}",
    "h1{font-size:22px;margin:0 0 4px;overflow-wrap:anywhere}h2{font-size:17px;margin:34px 0 8px}",
    "p{margin:6px 0;max-width:76em}.soft,caption,figcaption{color:var(--soft);font-size:13px;text-align:left}",
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:13px}",
    "th,td{padding:4px 8px 4px 0;text-align:left;vertical-align:middle;border:0;border-bottom:1px solid var(--line)}",
    "th{color:var(--soft);font-weight:600;white-space:nowrap}",
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}",
    "td.name{overflow-wrap:anywhere;min-width:10em}td.plot{width:45%;min-width:150px;padding-right:12px}",
    "td.plot svg{display:block}figure{margin:8px 0}figure>svg{display:block;background:var(--card);border-radius:6px}",
    ".cards{display:flex;flex-wrap:wrap;gap:10px;margin:14px 0}",
    ".cards>div{background:var(--card);border-radius:8px;padding:10px 14px;min-width:130px}",
    ".cards b{display:block;font-size:20px;font-variant-numeric:tabular-nums}.cards span{color:var(--soft);"
    "font-size:12px}",
    "code{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}",
    "td.wide code{white-space:nowrap}",
    ".columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:20px}",
    "@media(max-width:600px){td.wide,th.wide{display:none}td.plot{width:auto;min-width:110px}td.name{min-width:6em}}",
    ".bad{color:#d04545;font-weight:600}.good{color:#2f9e5b;font-weight:600}.doubt{color:#c27a18;font-weight:600}",
    "@media print{body{background:#fff;color:#000}}",
};

void html_style(FILE *stream)
{
    fputs("<style>\n", stream);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        fprintf(stream, "%s\n", lines[i]);
    fputs("</style>\n", stream);
}
