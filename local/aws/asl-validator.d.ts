// Types of the part of asl-validator that `definition.ts` uses; the package brings none.
declare module 'asl-validator' {
  interface ValidationOptions {
    checkPaths?: boolean;
    checkArn?: boolean;
  }

  export default function validate(
    definition: object,
    options?: ValidationOptions,
  ): { isValid: boolean; errorsText(separator?: string): string };
}
