/** What nobody sees in a text: soft hyphens, zero-width spaces and joiners; and the strokes that only draw a word out. */
export const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\u0640\u07fa]/gu
