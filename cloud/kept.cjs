// Says what stays in the account after `serverless remove`, and why.
module.exports = class Kept {
  constructor(_serverless, _options, { log }) {
    this.hooks = {
      'after:remove:remove': () =>
        log.notice(
          'What stays: the bucket with the dead letters, and the key it is encrypted under. docs/deploy.md#remove says how they go.',
        ),
    };
  }
};
