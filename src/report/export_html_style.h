/*
 * export_html_style - the fixed beginning of the page, with its style.
 *
 * The policy forbids the page to fetch or run anything, should an escape ever be forgotten.
 */
#ifndef TLSTALLY_REPORT_EXPORT_HTML_STYLE_H
#define TLSTALLY_REPORT_EXPORT_HTML_STYLE_H

#define EXPORT_HTML_HEAD                                                                           \
	"<!DOCTYPE html>\n"                                                                        \
	"<html lang=\"en\">\n"                                                                     \
	"<head>\n"                                                                                 \
	"<meta charset=\"utf-8\">\n"                                                               \
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "    \
	"'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"                                \
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"               \
	"<meta name=\"referrer\" content=\"no-referrer\">\n"                                       \
	"<title>TLS versions towards mail servers</title>\n"                                       \
	"<style>\n"                                                                                \
	":root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--dim:#59636e;--line:#d1d9e0;"       \
	"--head:#f2f5f8}\n"                                                                        \
	"@media(prefers-color-scheme:dark){:root{--fg:#e6e9ed;--bg:#14171a;--dim:#9aa4ae;"         \
	"--line:#343a41;--head:#1e2328}}\n"                                                        \
	"body{margin:0;background:var(--bg);color:var(--fg);"                                      \
	"font:15px/1.45 system-ui,-apple-system,'Segoe UI',sans-serif}\n"                          \
	"main{max-width:82rem;margin:0 auto;padding:1.5rem}\n"                                     \
	"h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}\n"                 \
	".made,.note,small{color:var(--dim)}.made{margin:.2rem 0}.note{max-width:52rem}\n"         \
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:0}\n"        \
	"dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}\n"                                 \
	"table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\n"           \
	".totals{width:auto}\n"                                                                    \
	"th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;"                    \
	"border-top:1px solid var(--line);overflow-wrap:break-word}\n"                             \
	"thead th{background:var(--head);border:0;padding:.4rem .6rem .4rem 0;"                    \
	"overflow-wrap:normal}\n"                                                                  \
	"th:first-child,td:first-child{padding-left:.6rem}\n"                                      \
	".n{text-align:right;white-space:nowrap}.t,.a{white-space:nowrap}\n"                       \
	".a small{white-space:normal}.s,.k,.a small,.r td,tbody "                                  \
	"th{overflow-wrap:anywhere}.s,.k{min-width:13rem}\n"                                       \
	".r td{border:0;padding-top:0;padding-bottom:.6rem}\n"                                     \
	".rows{font-size:.85rem}.rows tbody th{padding-top:1rem}.rows small{font-weight:400}\n"    \
	".v{display:inline-block;white-space:nowrap;font-weight:600;padding:0 .5em;"               \
	"border-radius:.6em;border:1px solid transparent}\n"                                       \
	".v0{background:#b3121d;color:#fff}.v1{background:#cf4a00;color:#fff}\n"                   \
	".v2{background:#f3c613;color:#241c00}.v3{background:#7b3fb5;color:#fff}\n"                \
	".v4{background:#a8206c;color:#fff}.v5{background:#dfe4e9;color:#1b1f24}\n"                \
	".v6{background:#1c7a3c;color:#fff}\n"                                                     \
	"a{color:inherit}\n"                                                                       \
	":target th{outline:2px solid currentColor}\n"                                             \
	"@media print{:root{--fg:#000;--bg:#fff;--dim:#333;--line:#999;--head:#fff}"               \
	"body{font-size:9pt}main{max-width:none;padding:0}tr{break-inside:avoid}"                  \
	".c{break-after:avoid}h2{break-after:avoid}thead{display:table-header-group}.rows{font-"   \
	"size:7pt}.s,.k{min-width:8rem}"                                                           \
	".r a{display:none}.v{border-color:#000;background:#fff;color:#000}"                       \
	"@page{size:landscape;margin:12mm}}\n"                                                     \
	"</style>\n"                                                                               \
	"</head>\n"                                                                                \
	"<main>\n"                                                                                 \
	"<h1>TLS versions towards mail servers</h1>\n"

#endif
