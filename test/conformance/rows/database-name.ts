/** The checksum database behind the target. */
export const DATABASE_NAME = 'sum.example.test';
