// What a submission may demand of labels, as Joi schemas.

import Joi from 'joi';
import { LABEL_NAME_PATTERN, LABEL_VALUE_PATTERN } from '../model/labels.ts';
import { type LabelTermsBody, MAX_LABEL_TERMS, MAX_LABEL_VALUES } from './labels.ts';

const VALUE_FORM = '0 to 63 letters, digits, ".", "_" and "-"';

const labelValue = Joi.string()
  .allow('')
  .pattern(LABEL_VALUE_PATTERN)
  .messages({ 'string.pattern.base': `{{#label}} is not a value of a label: write ${VALUE_FORM}` });

const labelValues = Joi.array()
  .items(labelValue.messages({ 'string.base': '{{#label}} must be text, for example "ssd"' }))
  .unique()
  .min(1)
  .max(MAX_LABEL_VALUES)
  .messages({
    'array.min': '{{#label}} must hold at least one value; leave the label out when any will do',
    'array.max': `{{#label}} must hold at most ${MAX_LABEL_VALUES} values`,
    'array.unique': '{{#label}} is there twice',
  });

export const labelTermsSchema = Joi.object<LabelTermsBody>()
  .pattern(
    LABEL_NAME_PATTERN,
    Joi.alternatives().conditional(Joi.array(), {
      // biome-ignore lint/suspicious/noThenProperty: it is Joi's word, and nothing awaits this.
      then: labelValues,
      otherwise: labelValue.messages({
        'string.base': '{{#label}} must be text or a list of texts, for example "ssd" or ["ssd", "nvme"]',
      }),
    }),
  )
  .max(MAX_LABEL_TERMS)
  .messages({
    'object.base': '{{#label}} must be labels with their values, for example \\{"disk": "ssd"}',
    'object.max': `{{#label}} must name at most ${MAX_LABEL_TERMS} labels`,
    'object.unknown': `{{#label}} is not a name of a label: write 1 to 63 letters, digits, ".", "_" and "-"`,
  });
