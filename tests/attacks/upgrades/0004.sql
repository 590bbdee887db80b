BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE audit_events (
        id TEXT NOT NULL,
        at BIGINT NOT NULL,
        tenant_id TEXT NOT NULL,
        action TEXT NOT NULL,
        subject_kind TEXT NOT NULL,
        subject_id TEXT NOT NULL,
        actor_user_id TEXT,
        actor_credential_id TEXT,
        actor_via TEXT NOT NULL,
        actor_request_id TEXT,
        actor_address TEXT,
        details TEXT NOT NULL,
        CONSTRAINT pk_audit_events PRIMARY KEY (id)
    );
INSERT INTO "audit_events" VALUES('evt_03GANXBiLpi3bIzszCy6sl',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','tenant.founded','tenant','ten_03GANXBiL769nL3D3jssq8',NULL,NULL,'first run',NULL,NULL,'{"user_id":"usr_03GANXBiKaL2mrTw46NQis"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiIgmxAqTcmkhSxb',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','api_key.created','api_key','key_03GANXBiIfQPrVn4EPEyoV','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L00000000','127.0.0.1','{"display":"bf_key_03GA\u2026tYax","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKaL2mrTw46NQis"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMpSUtFfouK1wJw',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','api_key.created','api_key','key_03GANXBiLb3b5XFU8468m4','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L00000001','127.0.0.1','{"display":"bf_key_03GA\u2026QTsX","name":"test","scopes":["payouts","read"],"user_id":"usr_03GANXBiKaL2mrTw46NQis"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLG3fAvdvmNkin3',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','api_key.created','api_key','key_03GANXBiJwM7NN4KIZTaqm','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L00000002','127.0.0.1','{"display":"bf_key_03GA\u2026mEW4","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKaL2mrTw46NQis"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKac7Vs3Er19bRT',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','api_key.created','api_key','key_03GANXBiNLaq7gi5Iasp8I','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L00000003','127.0.0.1','{"display":"bf_key_03GA\u202615vB","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKaL2mrTw46NQis"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJfQxPsvi1QPFtS',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','api_key.created','api_key','key_03GANXBiJICjiH0IAXrMDV','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L00000004','127.0.0.1','{"display":"bf_key_03GA\u2026nPEd","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKaL2mrTw46NQis"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKnhSDiNWEDOmDJ',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','api_key.created','api_key','key_03GANXBiKripqVIJ87dHq5','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L00000005','127.0.0.1','{"display":"bf_key_03GA\u20262wHN","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKaL2mrTw46NQis"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLzuJqEzRK9M49M',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','api_key.created','api_key','key_03GANXBiMNM33X54wizQKQ','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L00000006','127.0.0.1','{"display":"bf_key_03GA\u2026lHsS","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKaL2mrTw46NQis"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMLpAXb1ex3q3rE',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','api_key.created','api_key','key_03GANXBiJ3AvF81jkDu7jf','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L00000007','127.0.0.1','{"display":"bf_key_03GA\u2026ef93","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKaL2mrTw46NQis"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKfPEovMuBblQEM',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','api_key.created','api_key','key_03GANXBiNK4NATfVBAUrCG','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L00000008','127.0.0.1','{"display":"bf_key_03GA\u2026OqAb","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKaL2mrTw46NQis"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLDDDWvlkNzH2hh',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','api_key.created','api_key','key_03GANXBiN7Vbu4diR0Q3Dg','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L00000009','127.0.0.1','{"display":"bf_key_03GA\u20262TR1","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiKaL2mrTw46NQis"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLYwp17kTJu5WwV',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','api_key.disabled','api_key','key_03GANXBiMNM33X54wizQKQ','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L0000000A','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKZIeK8N7LhodBW',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','api_key.revoked','api_key','key_03GANXBiJ3AvF81jkDu7jf','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L0000000B','127.0.0.1','{"reason":"leaked"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLKygSF2zCnEgTN',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','api_key.rotated','api_key','key_03GANXBiNK4NATfVBAUrCG','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L0000000C','127.0.0.1','{"display":"bf_key_03GA\u2026jpjo","overlap_seconds":60,"successor_id":"key_03GANXBiKaKLnaIlTwyady"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiL7oFQ0T3qbsXyn',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','api_key.rotated','api_key','key_03GANXBiN7Vbu4diR0Q3Dg','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L0000000D','127.0.0.1','{"display":"bf_key_03GA\u2026SqBA","overlap_seconds":3600,"successor_id":"key_03GANXBiKmEWJMtYh3PEEO"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLffnzO1hvnHrV4',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','api_key.revoked','api_key','key_03GANXBiN7Vbu4diR0Q3Dg','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L0000000E','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKG77v6vKxtJH7y',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','user.created','user','usr_03GANXBiJAQgSJoky6tVuD','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L0000000F','127.0.0.1','{"kind":"service","role":"member","scopes":null}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNrzIML8C2yKjVC',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','api_key.created','api_key','key_03GANXBiOFH0RvE04shxou','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L0000000G','127.0.0.1','{"display":"bf_key_03GA\u20262FpU","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJAQgSJoky6tVuD"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMgjyPslRf43fYm',1900000000000000,'ten_03GANXBiL769nL3D3jssq8','user.changed','user','usr_03GANXBiJAQgSJoky6tVuD','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','api','req_3SC7UEThLMB24L0000000H','127.0.0.1','{"status":"disabled"}');
CREATE TABLE changes (
        sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        transaction_id BIGINT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        subject_id TEXT NOT NULL,
        at BIGINT NOT NULL,
        CONSTRAINT ck_changes_kind CHECK (kind IN ('credential_created', 'credential', 'user', 'tenant', 'plan'))
    );
INSERT INTO "changes" VALUES(1,0,'plan','free',1900000000000000);
INSERT INTO "changes" VALUES(2,0,'plan','pro',1900000000000000);
INSERT INTO "changes" VALUES(3,0,'plan','enterprise',1900000000000000);
INSERT INTO "changes" VALUES(4,0,'tenant','ten_03GANXBiL769nL3D3jssq8',1900000000000000);
INSERT INTO "changes" VALUES(5,0,'user','usr_03GANXBiKaL2mrTw46NQis',1900000000000000);
INSERT INTO "changes" VALUES(6,0,'credential_created','key_03GANXBiMz4AYZyBUDKigZ',1900000000000000);
INSERT INTO "changes" VALUES(7,0,'credential_created','key_03GANXBiIfQPrVn4EPEyoV',1900000000000000);
INSERT INTO "changes" VALUES(8,0,'credential_created','key_03GANXBiLb3b5XFU8468m4',1900000000000000);
INSERT INTO "changes" VALUES(9,0,'credential_created','key_03GANXBiJwM7NN4KIZTaqm',1900000000000000);
INSERT INTO "changes" VALUES(10,0,'credential_created','key_03GANXBiNLaq7gi5Iasp8I',1900000000000000);
INSERT INTO "changes" VALUES(11,0,'credential_created','key_03GANXBiJICjiH0IAXrMDV',1900000000000000);
INSERT INTO "changes" VALUES(12,0,'credential_created','key_03GANXBiKripqVIJ87dHq5',1900000000000000);
INSERT INTO "changes" VALUES(13,0,'credential_created','key_03GANXBiMNM33X54wizQKQ',1900000000000000);
INSERT INTO "changes" VALUES(14,0,'credential_created','key_03GANXBiJ3AvF81jkDu7jf',1900000000000000);
INSERT INTO "changes" VALUES(15,0,'credential_created','key_03GANXBiNK4NATfVBAUrCG',1900000000000000);
INSERT INTO "changes" VALUES(16,0,'credential_created','key_03GANXBiN7Vbu4diR0Q3Dg',1900000000000000);
INSERT INTO "changes" VALUES(17,0,'credential','key_03GANXBiMNM33X54wizQKQ',1900000000000000);
INSERT INTO "changes" VALUES(18,0,'credential','key_03GANXBiJ3AvF81jkDu7jf',1900000000000000);
INSERT INTO "changes" VALUES(19,0,'credential','key_03GANXBiNK4NATfVBAUrCG',1900000000000000);
INSERT INTO "changes" VALUES(20,0,'credential_created','key_03GANXBiKaKLnaIlTwyady',1900000000000000);
INSERT INTO "changes" VALUES(21,0,'credential','key_03GANXBiN7Vbu4diR0Q3Dg',1900000000000000);
INSERT INTO "changes" VALUES(22,0,'credential_created','key_03GANXBiKmEWJMtYh3PEEO',1900000000000000);
INSERT INTO "changes" VALUES(23,0,'credential','key_03GANXBiN7Vbu4diR0Q3Dg',1900000000000000);
INSERT INTO "changes" VALUES(24,0,'credential','key_03GANXBiKmEWJMtYh3PEEO',1900000000000000);
INSERT INTO "changes" VALUES(25,0,'user','usr_03GANXBiJAQgSJoky6tVuD',1900000000000000);
INSERT INTO "changes" VALUES(26,0,'credential_created','key_03GANXBiOFH0RvE04shxou',1900000000000000);
INSERT INTO "changes" VALUES(27,0,'user','usr_03GANXBiJAQgSJoky6tVuD',1900000000000000);
CREATE TABLE credentials (
        id TEXT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        name TEXT NOT NULL,
        scopes TEXT NOT NULL,
        plan TEXT,
        status VARCHAR(32) NOT NULL,
        expires_at BIGINT,
        overlap_ends_at BIGINT,
        parent_id TEXT,
        root_id TEXT NOT NULL,
        allowed_ips TEXT NOT NULL,
        metadata TEXT NOT NULL,
        display TEXT NOT NULL,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        last_used_at BIGINT,
        revoked_at BIGINT,
        revocation_reason TEXT,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL, bearer_token_seconds BIGINT
        CONSTRAINT ck_credentials_bearer_token_seconds CHECK (bearer_token_seconds > 0),
        CONSTRAINT pk_credentials PRIMARY KEY (id),
        CONSTRAINT fk_credentials_tenant_id_user_id FOREIGN KEY(tenant_id, user_id) REFERENCES users (tenant_id, id),
        CONSTRAINT fk_credentials_tenant_id_parent_id FOREIGN KEY(tenant_id, parent_id) REFERENCES credentials (tenant_id, id),
        CONSTRAINT uq_credentials_tenant_id_id UNIQUE (tenant_id, id),
        CONSTRAINT ck_credentials_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_credentials_name_length CHECK (length(name) <= 255),
        CONSTRAINT ck_credentials_scopes_length CHECK (length(scopes) <= 8192),
        CONSTRAINT ck_credentials_metadata_length CHECK (length(metadata) <= 131072),
        CONSTRAINT ck_credentials_lineage CHECK ((parent_id IS NULL) = (root_id = id)),
        CONSTRAINT ck_credentials_revoked CHECK ((status = 'revoked') = (revoked_at IS NOT NULL)),
        CONSTRAINT ck_credentials_revocation_reason CHECK (revocation_reason IS NULL OR status = 'revoked'),
        CONSTRAINT ck_credentials_kind CHECK (kind IN ('api_key', 'bearer_token', 'personal_access_token', 'oauth_access_token', 'jwt_session')),
        CONSTRAINT fk_credentials_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL,
        CONSTRAINT ck_credentials_status CHECK (status IN ('active', 'disabled', 'revoked')),
        CONSTRAINT uq_credentials_digest UNIQUE (digest)
    );
INSERT INTO "credentials" VALUES('key_03GANXBiMz4AYZyBUDKigZ','api_key','ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiKaL2mrTw46NQis','admin','admin credentials:verify payouts read write','enterprise','active',NULL,NULL,NULL,'key_03GANXBiMz4AYZyBUDKigZ','','{}','bf_key_03GA…Y5gr','usr_03GANXBiKaL2mrTw46NQis',1900000000000000,1900000000000000,1900000000000000,NULL,NULL,X'807778B2C14AEA5A1F50040C185219029AB67DB51E101BB527F2AADD0D04608E','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiIfQPrVn4EPEyoV','api_key','ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiKaL2mrTw46NQis','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiIfQPrVn4EPEyoV','','{}','bf_key_03GA…tYax','usr_03GANXBiKaL2mrTw46NQis',1900000000000000,1900000000000000,NULL,NULL,NULL,X'AC3543A7FE837EBEFDA38231A01BDBFE5090AA771B937D3132664CD1217FC1DF','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiLb3b5XFU8468m4','api_key','ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiKaL2mrTw46NQis','test','payouts read',NULL,'active',NULL,NULL,NULL,'key_03GANXBiLb3b5XFU8468m4','','{}','bf_key_03GA…QTsX','usr_03GANXBiKaL2mrTw46NQis',1900000000000000,1900000000000000,NULL,NULL,NULL,X'307D2D796D562BE987305298359583D4CFC0AE245EF10A9F3AC814CF11FEF0AC','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiJwM7NN4KIZTaqm','api_key','ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiKaL2mrTw46NQis','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiJwM7NN4KIZTaqm','192.0.2.0/24','{}','bf_key_03GA…mEW4','usr_03GANXBiKaL2mrTw46NQis',1900000000000000,1900000000000000,NULL,NULL,NULL,X'3BC8B8094FF1101D9BDBAD102DF13A018DD7C2C17A7E47E10F83D7C62622F756','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiNLaq7gi5Iasp8I','api_key','ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiKaL2mrTw46NQis','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiNLaq7gi5Iasp8I','127.0.0.1/32 ::1/128','{"note":"\u00e9"}','bf_key_03GA…15vB','usr_03GANXBiKaL2mrTw46NQis',1900000000000000,1900000000000000,NULL,NULL,NULL,X'A6F0DA68A13F4D201D9B7976FED4578C44F282957985CFDD73CF8C1CF8CDDD43','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiJICjiH0IAXrMDV','api_key','ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiKaL2mrTw46NQis','test','read write',NULL,'active',2215360000000000,NULL,NULL,'key_03GANXBiJICjiH0IAXrMDV','','{}','bf_key_03GA…nPEd','usr_03GANXBiKaL2mrTw46NQis',1900000000000000,1900000000000000,NULL,NULL,NULL,X'0BA7A2D112FD6FE50C30EEA7682BFC0F56034B24AAD3D9B6BE4F4860CDB2C97D','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKripqVIJ87dHq5','api_key','ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiKaL2mrTw46NQis','test','read write',NULL,'active',1900000060000000,NULL,NULL,'key_03GANXBiKripqVIJ87dHq5','','{}','bf_key_03GA…2wHN','usr_03GANXBiKaL2mrTw46NQis',1900000000000000,1900000000000000,NULL,NULL,NULL,X'C8544A1A1E2D6CE7B8605539C7CA8341711B778BF2BE821C96C08BEEA048FFAB','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiMNM33X54wizQKQ','api_key','ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiKaL2mrTw46NQis','test','read write',NULL,'disabled',NULL,NULL,NULL,'key_03GANXBiMNM33X54wizQKQ','','{}','bf_key_03GA…lHsS','usr_03GANXBiKaL2mrTw46NQis',1900000000000000,1900000000000000,NULL,NULL,NULL,X'D2349F2E980555A93D3220177156CECBA33ADCEB59F2721EF17AD26D6FCCA499','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiJ3AvF81jkDu7jf','api_key','ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiKaL2mrTw46NQis','test','read write',NULL,'revoked',NULL,NULL,NULL,'key_03GANXBiJ3AvF81jkDu7jf','','{}','bf_key_03GA…ef93','usr_03GANXBiKaL2mrTw46NQis',1900000000000000,1900000000000000,NULL,1900000000000000,'leaked',X'31653771DD04283CB9BCD15A70C3991EC7D77BD26673C6D23C82A6875F72BA98','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiNK4NATfVBAUrCG','api_key','ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiKaL2mrTw46NQis','test','read write',NULL,'active',NULL,1900000060000000,NULL,'key_03GANXBiNK4NATfVBAUrCG','','{}','bf_key_03GA…OqAb','usr_03GANXBiKaL2mrTw46NQis',1900000000000000,1900000000000000,NULL,NULL,NULL,X'2E622AE4987558B66191BA7FE0E20358F0C63313DFDC76E6463612A6F6748AA5','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiN7Vbu4diR0Q3Dg','api_key','ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiKaL2mrTw46NQis','test','read write',NULL,'revoked',NULL,1900003600000000,NULL,'key_03GANXBiN7Vbu4diR0Q3Dg','','{}','bf_key_03GA…2TR1','usr_03GANXBiKaL2mrTw46NQis',1900000000000000,1900000000000000,NULL,1900000000000000,NULL,X'0F9B02D032A6AD6B3142A49A32539492FAD550948860B722AF0939D12AA22E3B','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKaKLnaIlTwyady','api_key','ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiKaL2mrTw46NQis','test','read write',NULL,'active',NULL,NULL,'key_03GANXBiNK4NATfVBAUrCG','key_03GANXBiNK4NATfVBAUrCG','','{}','bf_key_03GA…jpjo','usr_03GANXBiKaL2mrTw46NQis',1900000000000000,1900000000000000,NULL,NULL,NULL,X'567ACD2E11B29B451388AA82F079C4F3FAD9D9F660C5B3D5B6DB972466A57CDE','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKmEWJMtYh3PEEO','api_key','ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiKaL2mrTw46NQis','test','read write',NULL,'revoked',NULL,NULL,'key_03GANXBiN7Vbu4diR0Q3Dg','key_03GANXBiN7Vbu4diR0Q3Dg','','{}','bf_key_03GA…SqBA','usr_03GANXBiKaL2mrTw46NQis',1900000000000000,1900000000000000,NULL,1900000000000000,'parent revoked',X'1BB1280A87F6AC52021F73FD560A07A7F3FE50FC4A3AA7B5A50B4CAAE858C72E','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiOFH0RvE04shxou','api_key','ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiJAQgSJoky6tVuD','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiOFH0RvE04shxou','','{}','bf_key_03GA…2FpU','usr_03GANXBiKaL2mrTw46NQis',1900000000000000,1900000000000000,NULL,NULL,NULL,X'F9AA6B12782B1DF379DBD414ECEE169A88B81EB94D6C52EA567986E46F526F3F','e18a51f90c52',NULL);
CREATE TABLE feed_bounds (
        id BIGINT NOT NULL,
        pruned_through BIGINT NOT NULL,
        CONSTRAINT pk_feed_bounds PRIMARY KEY (id),
        CONSTRAINT ck_feed_bounds_single CHECK (id = 1)
    );
INSERT INTO "feed_bounds" VALUES(1,0);
CREATE TABLE idempotency_claims (
        key_digest BLOB NOT NULL,
        request_digest BLOB NOT NULL,
        sealed_answer BLOB NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_idempotency_claims PRIMARY KEY (key_digest)
    );
CREATE TABLE limit_holders (
        subject TEXT NOT NULL,
        holder TEXT NOT NULL,
        units BIGINT NOT NULL,
        until_us BIGINT NOT NULL,
        burst_ends_us BIGINT NOT NULL,
        CONSTRAINT pk_limit_holders PRIMARY KEY (subject, holder),
        CONSTRAINT ck_limit_holders_units CHECK (units > 0)
    );
CREATE TABLE limit_windows (
        subject TEXT NOT NULL,
        hour_ends_us BIGINT NOT NULL,
        hour_used BIGINT NOT NULL,
        burst_ends_us BIGINT NOT NULL,
        burst_used BIGINT NOT NULL,
        seen_us BIGINT NOT NULL,
        CONSTRAINT pk_limit_windows PRIMARY KEY (subject),
        CONSTRAINT ck_limit_windows_hour CHECK (hour_used >= 0),
        CONSTRAINT ck_limit_windows_burst CHECK (burst_used >= 0)
    );
CREATE TABLE passwords (
        user_id TEXT NOT NULL,
        user_kind VARCHAR(32) NOT NULL,
        hash TEXT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_passwords PRIMARY KEY (user_id),
        CONSTRAINT fk_passwords_user_id_user_kind FOREIGN KEY(user_id, user_kind) REFERENCES users (id, kind),
        CONSTRAINT ck_passwords_person CHECK (user_kind = 'person'),
        CONSTRAINT ck_passwords_hash_length CHECK (length(hash) BETWEEN 1 AND 1024),
        CONSTRAINT ck_passwords_user_kind CHECK (user_kind IN ('person', 'service'))
    );
INSERT INTO "passwords" VALUES('usr_03GANXBiKaL2mrTw46NQis','person','$argon2id$v=19$m=19456,t=2,p=1$TXMLyyqa6B9lFTwDj1jSFw$UvW2XlEVzfCz9JjRhaqhn/hY1B9D7hhdGpC0XNPF4qI',1900000000000000);
CREATE TABLE plans (
        name TEXT NOT NULL,
        requests_per_hour BIGINT,
        burst BIGINT,
        per_method TEXT NOT NULL,
        count_by VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL, bearer_token_seconds BIGINT
        CONSTRAINT ck_plans_bearer_token_seconds CHECK (bearer_token_seconds > 0),
        CONSTRAINT pk_plans PRIMARY KEY (name),
        CONSTRAINT ck_plans_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_plans_requests_per_hour CHECK (requests_per_hour >= 0),
        CONSTRAINT ck_plans_burst CHECK (burst >= 0),
        CONSTRAINT ck_plans_count_by CHECK (count_by IN ('credential', 'user', 'tenant'))
    );
INSERT INTO "plans" VALUES('free',1000,50,'{"api_key":1000,"bearer_token":2000,"jwt_session":2000,"oauth_access_token":5000,"personal_access_token":1000}','credential',1900000000000000,1900000000000000,NULL);
INSERT INTO "plans" VALUES('pro',10000,200,'{}','credential',1900000000000000,1900000000000000,NULL);
INSERT INTO "plans" VALUES('enterprise',NULL,1000,'{}','credential',1900000000000000,1900000000000000,NULL);
CREATE TABLE tenants (
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        plan TEXT,
        operator BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL, personal_access_token_seconds_max BIGINT
        CONSTRAINT ck_tenants_personal_access_token_seconds_max CHECK (personal_access_token_seconds_max > 0),
        CONSTRAINT pk_tenants PRIMARY KEY (id),
        CONSTRAINT ck_tenants_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_tenants_plan CHECK (plan IS NOT NULL OR status = 'deleted'),
        CONSTRAINT ck_tenants_operator_active CHECK (NOT operator OR status = 'active'),
        CONSTRAINT ck_tenants_status CHECK (status IN ('active', 'disabled', 'deleted')),
        CONSTRAINT fk_tenants_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL
    );
INSERT INTO "tenants" VALUES('ten_03GANXBiL769nL3D3jssq8','default','active','free',1,1900000000000000,1900000000000000,NULL);
CREATE TABLE usage_counts (
        span BIGINT NOT NULL,
        starts_at BIGINT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        credential_id TEXT NOT NULL,
        outcome TEXT NOT NULL,
        requests BIGINT NOT NULL,
        CONSTRAINT pk_usage_counts PRIMARY KEY (span, starts_at, tenant_id, user_id, credential_id, outcome),
        CONSTRAINT ck_usage_counts_span CHECK (span IN (60, 3600, 86400)),
        CONSTRAINT ck_usage_counts_requests CHECK (requests > 0)
    ) WITHOUT ROWID
    ;
INSERT INTO "usage_counts" VALUES(60,1899999960000000,'ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','accepted',18);
INSERT INTO "usage_counts" VALUES(3600,1899997200000000,'ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','accepted',18);
INSERT INTO "usage_counts" VALUES(86400,1899936000000000,'ten_03GANXBiL769nL3D3jssq8','usr_03GANXBiKaL2mrTw46NQis','key_03GANXBiMz4AYZyBUDKigZ','accepted',18);
CREATE TABLE usage_writers (
        id TEXT NOT NULL,
        batch BIGINT NOT NULL,
        written_at BIGINT NOT NULL,
        CONSTRAINT pk_usage_writers PRIMARY KEY (id)
    );
INSERT INTO "usage_writers" VALUES('448bddd56074bf48a14bf97993db42db',6,1900000000000000);
CREATE TABLE users (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        email TEXT,
        email_folded TEXT,
        name TEXT NOT NULL,
        role VARCHAR(32) NOT NULL,
        scopes TEXT,
        status VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_users PRIMARY KEY (id),
        CONSTRAINT uq_users_tenant_id_id UNIQUE (tenant_id, id),
        CONSTRAINT uq_users_id_kind UNIQUE (id, kind),
        CONSTRAINT ck_users_name_length CHECK (length(name) <= 255),
        CONSTRAINT ck_users_email_length CHECK (length(email) BETWEEN 1 AND 320),
        CONSTRAINT ck_users_scopes_length CHECK (length(scopes) <= 8192),
        CONSTRAINT ck_users_email_folded CHECK ((email IS NULL) = (email_folded IS NULL)),
        CONSTRAINT fk_users_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (id),
        CONSTRAINT ck_users_kind CHECK (kind IN ('person', 'service')),
        CONSTRAINT ck_users_role CHECK (role IN ('owner', 'admin', 'member')),
        CONSTRAINT ck_users_status CHECK (status IN ('active', 'disabled', 'deleted'))
    );
INSERT INTO "users" VALUES('usr_03GANXBiKaL2mrTw46NQis','ten_03GANXBiL769nL3D3jssq8','person','admin@example.com','admin@example.com','admin@example.com','owner',NULL,'active',1900000000000000,1900000000000000);
INSERT INTO "users" VALUES('usr_03GANXBiJAQgSJoky6tVuD','ten_03GANXBiL769nL3D3jssq8','service',NULL,NULL,'retired','member',NULL,'disabled',1900000000000000,1900000000000000);
CREATE INDEX ix_plans_created ON plans (created_at, name);
CREATE INDEX ix_tenants_created ON tenants (created_at, id);
CREATE INDEX ix_tenants_plan ON tenants (plan);
CREATE UNIQUE INDEX uq_tenants_name ON tenants (name) WHERE status <> 'deleted';
CREATE UNIQUE INDEX uq_tenants_operator ON tenants (operator) WHERE operator;
CREATE INDEX ix_users_created ON users (created_at, id);
CREATE INDEX ix_users_tenant_created ON users (tenant_id, created_at, id);
CREATE UNIQUE INDEX uq_users_email ON users (tenant_id, email_folded) WHERE status <> 'deleted';
CREATE INDEX ix_credentials_parent ON credentials (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX ix_credentials_plan ON credentials (plan) WHERE plan IS NOT NULL;
CREATE INDEX ix_audit_events_at ON audit_events (at, id);
CREATE INDEX ix_audit_events_subject ON audit_events (subject_id, at, id);
CREATE INDEX ix_audit_events_tenant_at ON audit_events (tenant_id, at, id);
CREATE INDEX ix_changes_transaction ON changes (transaction_id);
CREATE INDEX ix_idempotency_claims_expires ON idempotency_claims (expires_at);
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE INDEX ix_credentials_created ON credentials (kind, created_at, id);
CREATE INDEX ix_credentials_tenant_created ON credentials (tenant_id, kind, created_at, id);
CREATE INDEX ix_credentials_user_created ON credentials (user_id, kind, created_at, id);
CREATE INDEX ix_credentials_token_ends ON credentials (expires_at) WHERE kind IN ('bearer_token', 'jwt_session', 'oauth_access_token');
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('changes',27);
COMMIT;
