// All senders of deploy hooks. A new sender needs a file, and its name here.
import type { EventSender, WebhookSender } from './sender.ts';
import { cloudFormation } from './senders/cloudformation.ts';
import { codeDeploy } from './senders/codedeploy.ts';
import { codePipeline } from './senders/codepipeline.ts';
import { github } from './senders/github.ts';
import { penstock } from './senders/penstock.ts';
import { standardWebhooks } from './senders/standard-webhooks.ts';

export const WEBHOOK_SENDERS: readonly WebhookSender[] = [github, standardWebhooks];

export const EVENT_SENDERS: readonly EventSender[] = [penstock, codePipeline, codeDeploy, cloudFormation];
