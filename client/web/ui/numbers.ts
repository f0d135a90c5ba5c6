import { computed } from '@preact/signals'
import { locale } from '../text/text.js'

const format = computed(() => new Intl.NumberFormat(locale.value))

/** As the language of the person writes it. */
export const numberOf = (value: number): string => format.value.format(value)
