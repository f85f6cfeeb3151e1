// Package icao9303 writes personal names as the machine readable zone of a travel
// document does: the letters A to Z and the filler < (ICAO Doc 9303-3 §4.6 and §6).
//
// Owner of names in Latin letters for every format that needs them (EU DCC fnt and gnt).
// It never sees anything but a name, keeps nothing, and no error repeats a name.
//
// Where the letters come from:
//
//	Latin     Doc 9303-3 §6.A, the first recommendation of a row (Ä is AE, Å is AA, Ñ is N);
//	          other letters lose their diacritics
//	Cyrillic  Doc 9303-3 §6.B, the general column. Its national exceptions (Ukrainian И is Y,
//	          Serbian Х is H, Bulgarian Щ is SHT …) need to know the language, which a name
//	          does not say: a document of such a state may spell it otherwise
//	Arabic    Doc 9303-3 §6.C: X announces a letter without Latin counterpart, ta marbuta is
//	          XAH at the end of a word and XTA inside, shadda repeats the letter before it,
//	          vowel signs and tatweel are not encoded. Persian, Urdu and Pashto letters
//	          included
//	Greek     ELOT 743 (ISO 843), transcription, with its rules for αυ, ευ, ου, γγ, μπ
//	Hebrew    consonants by the table of the Academy of the Hebrew Language (2006); points are
//	          honoured, and without them only the position in the word tells hard from soft
//	Armenian  BGN/PCGN 1981 without its apostrophes
//	Georgian  national system of 2002 without its apostrophes
//	Kana      Hepburn as in Japanese passports: no long vowels, M before B, M and P. Where two
//	          vowels meet at the seam of a compound, only a reader of the name can know
//	Hangul    Revised Romanization (2000), with its spelling but without its sound changes, as
//	          it asks of personal names
//
// Every other script (Han, Thai, Devanagari …), and every letter that these tables do not
// know, is ErrNoTransliteration: whoever issues must ask for the Latin spelling of the
// travel document. An invented spelling would be worse than none. The same holds where a
// family spells its name otherwise than the table: the issuer gives the name in Latin
// letters, and those pass through unchanged.
//
// Invariants: the result of MRZ matches ^[A-Z<]*$, has no two fillers in a row and none at
// its ends, and is what MRZ makes of itself.
package icao9303
