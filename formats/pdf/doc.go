// Package pdf writes tagged PDF 1.7 documents (ISO 32000-1) with shaped text of many
// scripts, meant to satisfy PDF/UA-1 (ISO 14289-1).
//
// Owner: formats. A [Document] gets blocks (headings, paragraphs, tables, figures) that a
// [Flow] sets on pages. Text is cut into runs by the Unicode bidirectional algorithm,
// script and font, shaped with OpenType, broken into lines by UAX #14 and drawn with the
// glyphs of the embedded fonts; a document carries a subset of each font it uses.
//
// Invariants:
//   - Every visible mark is either tagged or an artifact. Text is drawn in the order it is
//     read, and can be read back: a character code stands for a cluster of the text, however
//     its glyphs are arranged, and has a ToUnicode entry with the cluster's characters.
//   - Nothing is clipped and nothing is left out. Text that is too long is set smaller
//     down to the limit of its style, broken, and continued on a further page. A character
//     that no embedded font has is drawn as a box and reported as a [Warning].
//   - The same calls give the same bytes. The file identifier derives from the content;
//     the only time in the file is the one given.
//   - Metadata hold the title and the language that are given, never text of the pages.
//   - Documents share parsed fonts, which are read only, and shaping memory, which is
//     lent to one call at a time. No text of one document can reach another.
//
// Scripts: Latin, Greek, Cyrillic, Arabic, Hebrew, Thaana, N'Ko, Adlam, Devanagari,
// Bengali, Gujarati, Gurmukhi, Kannada, Malayalam, Oriya, Sinhala, Tamil, Telugu, Thai,
// Lao, Khmer, Myanmar, Tibetan, Ethiopic, Georgian, Armenian, Tifinagh,
// Cherokee, Canadian syllabics, Ol Chiki, Meetei Mayek, and Han, kana, bopomofo and Hangul
// of the Basic Multilingual Plane.
//
// The package must never see a key, a network or a store, and knows nothing of what a
// text means. Errors and warnings never hold text.
package pdf
